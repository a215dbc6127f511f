"""Exchange a code or a token for the owner's cookie."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import RedirectResponse, Response

from workflow.web import login
from workflow.web.errors import Refused
from workflow.web.page import page
from workflow.web.state import Shared, State

router = APIRouter(tags=["login"])


Text = Annotated[str, Query(min_length=1, max_length=200)]
Next = Annotated[str, Query(alias="next", max_length=200, pattern=r"^/([A-Za-z0-9_.-][A-Za-z0-9_./-]*)?$")]
"""Where to go then: a page of this server."""


class Token(BaseModel):
    """A code of `wf serve`, or a token."""

    model_config = ConfigDict(extra="forbid")

    token: Annotated[str, Field(min_length=1, max_length=200)]


@router.post("/login", status_code=204, response_class=Response)
async def enter(request: Request, state: Shared, body: Token) -> Response:
    """Get the cookie."""
    answer = Response(status_code=204)
    login.remember(answer, request, state, await asyncio.to_thread(_secret, state, body.token))
    return answer


@router.get(
    "/login",
    response_class=Response,
    responses={200: {"content": {"text/html": {}}, "description": "The page."}, 303: {"description": "The cookie."}},
)
async def login_page(request: Request, state: Shared, token: Text | None = None, next_: Next = "/") -> Response:
    """Ask for a token; by the address that `wf serve` printed, get the cookie at once."""
    if token is None:
        return page(request, state, "login", next=next_)
    answer = RedirectResponse(next_, status_code=303)
    login.remember(answer, request, state, await asyncio.to_thread(_secret, state, token))
    return answer


def _secret(state: State, token: str) -> str:
    found = login.exchange(state, token)
    if found is None:
        raise Refused(
            401,
            "this token is unknown, revoked, or was used before",
            headers={"WWW-Authenticate": "Bearer"},
            hint="start wf serve again for a new address, or wf inbox tokens add NAME --role owner",
        )
    return found
