"""From labels to the next generation."""

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


@router.get("/api/takeover", response_model=Takeover)
def preview(state: Shared) -> dict[str, Any]:
    """What a take-over would do now."""
    return state.inbox.takeover(preview=True).json()


@router.post("/api/takeover", response_model=Takeover)
def take_over(state: Shared) -> dict[str, Any]:
    """Turn decisions into corrections and links, which the next preparation obeys."""
    done = state.inbox.takeover().json()
    state.events.publish_soon(
        "label", {"kind": "takeover", "patch": done["patch"], "conflicts": len(done["conflicts"])}
    )
    return done
