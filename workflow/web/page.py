"""The frame of a page, in the reader's language."""

from __future__ import annotations

import hashlib
import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from workflow.web.words import LANGUAGES, preferred, text, wrong

if TYPE_CHECKING:
    from workflow.web.state import State

_LABELLERS = ("judge", "label", "review")
"""Pages of those who label but do not own the project."""
_STATIC = Path(__file__).parent / "static"
_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
)
_TABS = (
    ("judge", "/"),
    ("label", "/label"),
    ("review", "/review"),
    ("generations", "/gen"),
    ("loop", "/loop"),
)
_IMPORT = re.compile(r"""^(?:import|\} from|import .* from) ["']\./([\w.]+)["'];""", re.MULTILINE)
_COOKIE = "wf-language"
_YEAR = 365 * 24 * 3600


def page(request: Request, state: State, name: str, *, tab: str = "", status: int = 200, **facts: Any) -> Response:
    """A page.

    Args:
        request: whose reader's language is taken; with `?lang=ja` that choice is kept and the page asked for again.
        state: the server's.
        name: of the template and of the module in static/.
        tab: which of the main pages it belongs to.
        status: of the answer.
        facts: for the template.
    """
    chosen = request.query_params.get("lang")
    if chosen in LANGUAGES:
        others = [(key, value) for key, value in request.query_params.multi_items() if key != "lang"]
        again = RedirectResponse(request.url.path + (f"?{urlencode(others)}" if others else ""), 303)
        again.set_cookie(_COOKIE, chosen, max_age=_YEAR, httponly=True, samesite="lax")
        return again
    language = _language(request)
    other = next(one for one in LANGUAGES if one != language)

    def t(key: str, **values: object) -> str:
        return text(language, key, **values)

    if "queue" in facts:
        facts["queue_title"] = _queue_title(language, facts["queue"])
    root = state.project.root.absolute()
    caller = request.scope.get("state", {}).get("caller")
    role = caller.role if caller is not None else "nobody"
    whole = _TEMPLATES.get_template(f"{name}.html.j2").render(
        page=name,
        modules=modules(name),
        tab=tab,
        tabs=[one for one in _TABS if role == "owner" or one[0] in _LABELLERS],
        role=role,
        title=t(f"title.{name}", **facts),
        t=t,
        language=language,
        other_language=other,
        other_name=LANGUAGES[other],
        project=root.name,
        identity=hashlib.sha256(str(root).encode()).hexdigest()[:16],
        **facts,
    )
    headers = {"Cache-Control": "no-store", "Vary": "Accept-Language, Cookie", "Content-Language": language}
    return HTMLResponse(whole, status, headers)


def _language(request: Request) -> str:
    """The language that the reader chose, or that the browser prefers."""
    kept = request.cookies.get(_COOKIE, "")
    return kept if kept in LANGUAGES else preferred(request.headers.get("accept-language", ""))


def _queue_title(language: str, queue: str) -> str:
    """A queue's title; a queue that a user named is called by its name."""
    try:
        return text(language, f"queue.{queue}")
    except KeyError:
        return queue


@cache
def modules(name: str) -> tuple[str, ...]:
    """The modules of static/ that a page's module needs, so that a browser loads them at once and not in turn."""
    found: dict[str, None] = {}
    waiting = [f"{name}.js"]
    while waiting:
        text = (_STATIC / waiting.pop()).read_text(encoding="utf-8")
        new = [one for one in _IMPORT.findall(text) if one not in found]
        found |= dict.fromkeys(new)
        waiting += new
    return tuple(found)


def for_people(request: Request, state: State, refusal: Response) -> Response:
    """The answer to a browser for an error: a page, or the login where a token is needed; others get the error as JSON.

    Args:
        request: that was refused.
        state: the server's.
        refusal: the error as JSON, see `errors`.
    """
    navigates = request.method == "GET" and "text/html" in request.headers.get("accept", "")
    if not navigates or request.url.path.startswith(("/api/", "/static/")):
        return refusal
    if refusal.status_code == 401 and request.url.path == "/login":  # the address that `wf serve` printed, used before
        used = json.loads(bytes(refusal.body))["error"]["message"]
        return page(request, state, "login", status=401, next="/", problem=used)
    if refusal.status_code == 401:
        return RedirectResponse(f"/login?next={quote(request.url.path)}", 303)
    if refusal.status_code in (404, 422):  # a page takes no parameter that could be wrong in another way
        return page(request, state, "problem", status=404, message=None, hint=None)
    error = json.loads(bytes(refusal.body))["error"]
    message, hint = wrong(_language(request), error["id"], refusal.status_code, error["message"], error["hint"])
    return page(request, state, "problem", status=refusal.status_code, message=message, hint=hint)
