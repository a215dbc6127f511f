"""All pictures, by filters."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from workflow.inbox.paging import LIMIT
from workflow.web.routes.queues import After, Anchors, Chosen, Item, Limit, Step, shown
from workflow.web.state import Shared

router = APIRouter(tags=["gallery"])


class Gallery(BaseModel):
    """A page of the pictures that match."""

    classes: list[str]
    items: list[Item]
    next: str | None
    total: int


@router.get("/api/gallery", response_model=Gallery)
def gallery(filters: Chosen, state: Shared, after: After = None, limit: Limit = LIMIT) -> dict[str, Any]:
    """The next pictures that match every filter."""
    page = state.inbox.gallery(filters, after=after, limit=limit)
    return {"classes": state.inbox.classes(), "items": shown(page), "next": page.next, "total": page.total}


@router.get("/api/gallery/anchors", response_model=Anchors)
def gallery_anchors(filters: Chosen, state: Shared, step: Step = LIMIT) -> dict[str, Any]:
    """Cursors by which a page jumps anywhere in the gallery."""
    return {"step": step, "anchors": state.inbox.anchors(None, filters, step)}
