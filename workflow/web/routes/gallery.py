"""All pictures, by filters."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from workflow.inbox import Filters
from workflow.inbox.paging import LIMIT
from workflow.web.routes.labels import ClassName
from workflow.web.routes.queues import After, Anchors, Item, Limit, Step, shown
from workflow.web.state import Shared

router = APIRouter(tags=["gallery"])


def _filters(
    class_name: Annotated[ClassName | None, Query(alias="class")] = None,
    split: Literal["train", "test"] | None = None,
    sender: Annotated[str | None, Query(max_length=64)] = None,
    generation: Annotated[int | None, Query(ge=0, le=10**6)] = None,
) -> Filters:
    return Filters(class_name=class_name, split=split, sender=sender, generation=generation)


Chosen = Annotated[Filters, Depends(_filters)]


class Gallery(BaseModel):
    """A page of the pictures that match."""

    items: list[Item]
    next: str | None
    total: int


@router.get("/api/gallery", response_model=Gallery)
def gallery(filters: Chosen, state: Shared, after: After = None, limit: Limit = LIMIT) -> dict[str, Any]:
    """The next pictures that match every filter."""
    page = state.inbox.gallery(filters, after=after, limit=limit)
    return {"items": shown(page), "next": page.next, "total": page.total}


@router.get("/api/gallery/anchors", response_model=Anchors)
def gallery_anchors(filters: Chosen, state: Shared, step: Step = LIMIT) -> dict[str, Any]:
    """Cursors by which a page jumps anywhere in the gallery."""
    return {"step": step, "anchors": state.inbox.anchors(filters, step)}
