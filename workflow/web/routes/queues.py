"""Queues of pictures to decide about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, Field

from workflow.inbox import Filters, Page
from workflow.inbox.fillings import NAME
from workflow.inbox.paging import CURSOR, LIMIT
from workflow.web.routes.labels import ClassName
from workflow.web.state import Shared

router = APIRouter(tags=["queues"])

Name = Annotated[str, Path(pattern=rf"^{NAME.pattern}$")]
After = Annotated[str | None, Query(pattern=rf"^{CURSOR.pattern}$", description="The `next` of a page.")]
Limit = Annotated[int, Query(ge=1, le=LIMIT)]
Step = Annotated[int, Query(ge=1, le=LIMIT, description="Pictures from one cursor to the next.")]


def _filters(
    class_name: Annotated[ClassName | None, Query(alias="class")] = None,
    split: Literal["train", "validation", "test"] | None = None,
    sender: Annotated[str | None, Query(max_length=64)] = None,
    generation: Annotated[int | None, Query(ge=0, le=10**6)] = None,
) -> Filters:
    return Filters(class_name=class_name, split=split, sender=sender, generation=generation)


Chosen = Annotated[Filters, Depends(_filters)]


class Queue(BaseModel):
    """A queue and how much of it is left."""

    name: str
    title: str
    count: int
    filled: str | None


class Queues(BaseModel):
    """All of them, `sent` first."""

    queues: list[Queue]


class Item(BaseModel):
    """A picture on a page."""

    sha256: str
    suggested: str | None
    class_: Annotated[str | None, Field(alias="class")]
    state: str | None
    seq: int
    """Number of the last event about the picture, 0 for none."""
    reason: str | None
    probability: float | None
    sender: str | None
    split: str | None
    generation: int | None
    thumb: str


class Items(BaseModel):
    """A page of a queue."""

    queue: str
    classes: list[str]
    items: list[Item]
    next: str | None
    left: int


class Anchors(BaseModel):
    """Cursors to jump to: the k-th starts the page after k * step pictures."""

    step: int
    anchors: list[str]


@router.get("/api/queues", response_model=Queues)
def queues(state: Shared) -> dict[str, Any]:
    """Every queue."""
    return {"queues": [one.json() for one in state.inbox.queues()]}


@router.get("/api/queues/{name}", response_model=Items)
def queue(name: Name, filters: Chosen, state: Shared, after: After = None, limit: Limit = 20) -> dict[str, Any]:
    """The next open pictures of a queue that match every filter."""
    page = state.inbox.queue(name, filters, after=after, limit=limit)
    return {
        "queue": name,
        "classes": state.inbox.classes(),
        "items": shown(page),
        "next": page.next,
        "left": page.total,
    }


@router.get("/api/queues/{name}/anchors", response_model=Anchors)
def queue_anchors(name: Name, filters: Chosen, state: Shared, step: Step = LIMIT) -> dict[str, Any]:
    """Cursors by which a page jumps anywhere in a queue."""
    return {"step": step, "anchors": state.inbox.anchors(name, filters, step)}


def shown(page: Page) -> Sequence[dict[str, Any]]:
    """The pictures of a page with the addresses of their thumbnails."""
    return [one | {"thumb": f"/api/pictures/{one['sha256']}/thumb?side=512"} for one in page.items]
