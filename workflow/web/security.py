"""The checks of every request before a route sees it, and the headers of every answer.

host name -> site of origin -> content type -> token or cookie -> what the role may do -> rate -> size and speed
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import re
import time
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import nullcontext
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request, cookie_parser

from workflow.web import errors
from workflow.web.errors import BodyRefused, Refused
from workflow.web.limits import BODY_SECONDS, LARGEST_BODY, LARGEST_DOCUMENT, MIB, SLOWEST
from workflow.web.page import for_people
from workflow.web.state import LOCAL, NOBODY, Caller, Settings, State

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_log = logging.getLogger("workflow")
_SAFE = ("GET", "HEAD", "OPTIONS")
_JSON = "application/json"
_PICTURES = re.compile(r"image/[\w.+-]+|multipart/form-data|application/octet-stream")
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "font-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(self), geolocation=(), microphone=()",
}
JUDGE = "/api/judge"
_SHA = "[0-9a-f]{64}"
_LOOPBACK = ("localhost", "127.0.0.1", "::1")

# What a role may do beside what anybody may; the owner may do everything, and what is not listed is the owner's alone.
_ANYBODY = (("GET", r"/healthz|/static/.*|/login|/favicon\.ico"), ("POST", "/login"))
_BOT = (
    ("POST", JUDGE),
    ("POST", rf"/api/pictures/{_SHA}/report"),
    ("GET", rf"/api/pictures/{_SHA}"),
    ("GET", rf"/api/pictures/{_SHA}/thumb"),
)
_LABELLER = (
    *_BOT,
    ("GET", rf"/|/p/{_SHA}|/label(/.*)?|/review(/.*)?|/api/(queues|queues/.*|gallery(/anchors)?|events|generations)"),
    ("POST", r"/api/(labels|undo)"),
)
_MAY = {"nobody": _ANYBODY, "bot": _ANYBODY + _BOT, "labeller": _ANYBODY + _LABELLER}


def cookie_name(port: int) -> str:
    """Of the owner's cookie: servers on several ports of one machine share their cookies."""
    return f"wf-{port}"


class Guard:
    """Pure ASGI middleware around the whole application.

    Args:
        app: what is guarded.
        state: whose settings, tokens and limits hold.
    """

    def __init__(self, app: Application, state: State) -> None:
        self._app, self._state = app, state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it with an error."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(send, scope)
        try:
            size = self._check(scope)
            # a body is held in memory while its request is answered
            with self._state.limits.body(size) if size else nullcontext():
                await self._app(scope, _Body(receive, size) if size else receive, answer)
        except ClientDisconnect:
            return
        except Exception as error:
            if answer.whole:  # a bug, which was answered and logged
                return
            if answer.started:
                _log.exception("an answer ended early")
                raise
            await for_people(Request(scope), self._state, errors.answer(error))(scope, receive, answer)

    def _check(self, scope: Scope) -> int:
        """Refuse a request, or return the most bytes that its body may have, 0 if it has none.

        Raises:
            Refused: 400, 401, 403, 413, 415, 421 or 429.
        """
        headers = Headers(scope=scope)
        host = check_host(headers, self._state.settings)
        check_site(scope, headers)
        size = check_content(scope, headers)
        caller = self._caller(scope, headers, host)
        scope.setdefault("state", {})["caller"] = caller
        check_role(scope, caller)
        self._state.limits.request(caller.role, caller.author)
        if scope["path"] == JUDGE:
            self._state.limits.check_pictures()
        return size

    def _caller(self, scope: Scope, headers: Headers, host: str) -> Caller:
        """Who sent the request: by token, by cookie, or by being on this machine."""
        scheme, _, token = headers.get("authorization", "").partition(" ")
        cookie = cookie_parser(headers.get("cookie", "")).get(cookie_name(self._state.settings.port))
        if scheme:
            found = self._state.caller_of(token.strip()) if scheme.lower() == "bearer" else None
            if found is None:
                raise Refused(
                    401,
                    "this token is unknown or revoked" if scheme.lower() == "bearer" else "expected a bearer token",
                    headers={"WWW-Authenticate": "Bearer"},
                    hint="wf inbox tokens lists the tokens",
                )
            return found
        if cookie and (found := self._state.caller_of(cookie)) is not None:
            return found
        local = self._state.settings.open_to_owner and is_loopback(scope) and host in _LOOPBACK
        return LOCAL if local else NOBODY


def check_host(headers: Headers, settings: Settings) -> str:
    """The host name that the request is for, without the port.

    Raises:
        Refused: 400 or 421; a page of another site that lets its own name point here reaches nothing.
    """
    values = headers.getlist("host")
    match = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[\w.-]+)(?::(\d{1,5}))?", values[0]) if len(values) == 1 else None
    if match is None:
        raise Refused(400, "expected one Host header with a name and a port")
    name, port = match[1].strip("[]").lower(), match[2]
    known = name in settings.names or (name in _LOOPBACK and int(port or 80) == settings.port)
    if not known:
        raise Refused(
            421, f"this server does not answer to the name '{match[0]}'", hint="wf serve --name NAME allows it"
        )
    return name


def check_site(scope: Scope, headers: Headers) -> None:
    """Refuse requests that a page of another site makes a browser send.

    Raises:
        Refused: 403.
    """
    unsafe = scope["method"] not in _SAFE
    if not (unsafe or scope["path"].startswith("/api/")):
        return  # following a link from elsewhere is fine
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site not in (None, "same-origin", "none"):
        raise Refused(403, f"refused: the request comes from another site (Sec-Fetch-Site: {site})")
    if origin is not None and not _same(origin, headers["host"]):
        raise Refused(403, f"refused: the request comes from another site (Origin: {origin[:200]})")


def _same(origin: str, host: str) -> bool:
    """Whether an origin is this server; behind a proxy the browser's scheme is https and the port its own."""
    scheme, _, place = origin.lower().partition("://")
    return scheme in ("http", "https") and place == host.lower()


def check_content(scope: Scope, headers: Headers) -> int:
    """The most bytes that the body may have; 0 for none.

    Raises:
        Refused: 400, 413 or 415.
    """
    length, chunked = headers.get("content-length"), "transfer-encoding" in headers
    if length is not None and not re.fullmatch(r"[0-9]{1,20}", length):
        raise Refused(400, "Content-Length is no number")
    if not chunked and int(length or 0) == 0:
        return 0
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != _JSON and not (scope["path"] == JUDGE and _PICTURES.fullmatch(kind)):
        what = "a picture (image/*) or multipart/form-data" if scope["path"] == JUDGE else _JSON
        raise Refused(415, f"the content type is '{kind[:100]}', expected {what}")
    most = LARGEST_DOCUMENT if kind == _JSON else LARGEST_BODY + (MIB if kind.startswith("multipart") else 0)
    if length is None:
        return most
    if int(length) > most:
        raise Refused(413, f"the body has {int(length):,} bytes, more than the limit of {most:,}")
    return int(length)


def check_role(scope: Scope, caller: Caller) -> None:
    """Refuse what the caller may not do.

    Raises:
        Refused: 401 for nobody, 403 for a token of the wrong role.
    """
    if caller.role == "owner":
        return
    method = "GET" if scope["method"] == "HEAD" else scope["method"]
    if any(method == one and re.fullmatch(path, scope["path"]) for one, path in _MAY[caller.role]):
        return
    if caller.role == "nobody":
        raise Refused(
            401,
            "a token is needed",
            headers={"WWW-Authenticate": "Bearer"},
            hint="open the address that wf serve printed, or send the header Authorization: Bearer TOKEN",
        )
    raise Refused(403, f"a {caller.role}'s token may not {method} {scope['path'][:200]}")


def is_loopback(scope: Scope) -> bool:
    """Whether the request comes from this machine itself, and was not passed on by a proxy that says so."""
    client = scope.get("client")
    passed_on = {b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-real-ip", b"via"}
    if client is None or any(name in passed_on for name, _ in scope["headers"]):
        return False
    try:
        return ipaddress.ip_address(client[0]).is_loopback
    except ValueError:
        return False


class _Body:
    """`receive` with a limit for size and for slowness."""

    def __init__(self, receive: Receive, most: int) -> None:
        self._receive, self._most = receive, most
        self._got = 0
        self._began = time.monotonic()
        self._over = False

    async def __call__(self) -> Message:
        """The next message.

        Raises:
            BodyRefused: 408 or 413.
        """
        if self._over:  # waiting for the client to leave
            return await self._receive()
        left = self._began + BODY_SECONDS + self._got / SLOWEST - time.monotonic()
        try:
            async with asyncio.timeout(max(0.0, left)):
                message = await self._receive()
        except TimeoutError:
            raise BodyRefused(
                408, f"the body arrives too slowly: {self._got:,} bytes so far", {"Connection": "close"}
            ) from None
        self._got += len(message.get("body", b""))
        self._over = not message.get("more_body", False)
        if self._got > self._most:
            raise BodyRefused(413, f"the body has more than {self._most:,} bytes", {"Connection": "close"})
        return message


class _Answer:
    """`send` that adds the headers of every answer."""

    def __init__(self, send: Send, scope: Scope) -> None:
        self._send, self._api = send, scope["path"].startswith("/api/")
        self.started, self.whole = False, False

    async def __call__(self, message: Message) -> None:
        if message["type"] != "http.response.start":
            self.whole = not message.get("more_body", False)
        else:
            self.started = True
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            if self._api:
                headers.setdefault("cache-control", "no-store")
        await self._send(message)
