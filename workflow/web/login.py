"""How the owner's browser gets its cookie: by a code that opens once, or by a token."""

from __future__ import annotations

import hashlib
import secrets
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response

from workflow.web.security import cookie_name
from workflow.web.state import State

_SECONDS = 365 * 24 * 3600  # seconds that a browser keeps the cookie; revoking the token ends it


def login_code(state: State) -> str:
    """A new code, to be exchanged for a cookie once."""
    code = secrets.token_urlsafe(32)
    state.login_codes.add(_digest(code))
    return code


def exchange(state: State, code: str) -> str | None:
    """The content of a cookie for a code that opens once, or for a token; None for anything else.

    A code becomes a token of the owner's, so that the browser stays known when the server is started again.
    """
    digest = _digest(code)
    if digest in state.login_codes:
        state.login_codes.discard(digest)
        name = f"browser {datetime.now(UTC):%Y-%m-%d %H.%M} {secrets.token_hex(2)}"
        return state.inbox.add_token(name, "owner")
    return code if state.caller_of(code) is not None else None


def remember(answer: Response, request: Request, state: State, secret: str) -> None:
    """Give a browser the cookie: no script sees it, no other site makes a browser send it.

    Where a proxy says that the browser came by TLS, it is sent by TLS only.
    """
    answer.set_cookie(
        cookie_name(state.settings.port),
        secret,
        max_age=_SECONDS,
        path="/",
        secure=request.headers.get("x-forwarded-proto") == "https",
        httponly=True,
        samesite="strict",
    )


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
