"""Take over labels into the next generation."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from workflow.web.state import Shared

router = APIRouter(tags=["loop"])


class Conflict(BaseModel):
    """A decision that is left out, and why."""

    sha256: str
    message: str


class Takeover(BaseModel):
    """What a take-over does."""

    patch: int | None
    """Number of the patch of corrections; null if none is needed, and in a preview."""
    corrected: int
    linked: int
    moved: int
    removed: int
    unchanged: int
    conflicts: list[Conflict]


_NOTHING: dict[str, Any] = {
    "patch": None,
    "corrected": 0,
    "linked": 0,
    "moved": 0,
    "removed": 0,
    "unchanged": 0,
    "conflicts": [],
}


@router.get("/api/takeover", response_model=Takeover)
def preview(state: Shared) -> dict[str, Any]:
    """What a take-over would do now: nothing, before the first generation."""
    return state.inbox.takeover(preview=True).json() if state.project.generations else _NOTHING


@router.post("/api/takeover", response_model=Takeover)
def take_over(state: Shared) -> dict[str, Any]:
    """Turn decisions into corrections and links, which the next preparation obeys."""
    done = state.inbox.takeover().json()
    state.events.publish_soon(
        "label", {"kind": "takeover", "patch": done["patch"], "conflicts": len(done["conflicts"])}
    )
    return done
