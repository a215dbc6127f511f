"""Tokens of bots and helpers; for the owner."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from workflow.inbox.tokens import LONGEST, NAME
from workflow.web.state import Shared

router = APIRouter(tags=["tokens"])

Name = Annotated[str, Field(max_length=LONGEST, pattern=rf"^{NAME.pattern}$")]


class Token(BaseModel):
    """A caller."""

    name: str
    role: Literal["owner", "labeller", "bot"]
    created: str
    revoked: str | None


class Tokens(BaseModel):
    """All of them, oldest first."""

    tokens: list[Token]


class Wanted(BaseModel):
    """A token to be made."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    role: Literal["owner", "labeller", "bot"]


class Made(BaseModel):
    """A new token."""

    name: str
    role: str
    token: str
    """Its text, which is shown this once."""


@router.get("/api/tokens", response_model=Tokens)
def tokens(state: Shared) -> dict[str, Any]:
    """All tokens, without their secret texts."""
    return {"tokens": [one.json() for one in state.inbox.tokens()]}


@router.post("/api/tokens", response_model=Made, status_code=201)
def add(wanted: Wanted, state: Shared) -> dict[str, Any]:
    """Make a token."""
    return {"name": wanted.name, "role": wanted.role, "token": state.inbox.add_token(wanted.name, wanted.role)}


@router.delete("/api/tokens/{name}", response_model=Token)
def revoke(
    name: Annotated[str, Path(max_length=LONGEST, pattern=rf"^{NAME.pattern}$")], state: Shared
) -> dict[str, Any]:
    """Revoke a token; what it sent and decided stays."""
    return state.inbox.revoke(name).json()
