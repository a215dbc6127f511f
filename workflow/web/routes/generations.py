"""Generations, their metrics and reports, and which snapshot answers."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel
from starlette.responses import HTMLResponse, Response

from workflow.errors import WorkflowError
from workflow.generations import Generation
from workflow.generations.places import report as report_file
from workflow.web import following
from workflow.web.errors import Refused
from workflow.web.routes.judge import Share
from workflow.web.state import Shared, State

router = APIRouter(prefix="/api/generations", tags=["generations"])

Number = Annotated[int, Path(ge=0, le=999_999, examples=[1])]
Start = Annotated[int, Query(alias="from", ge=0, le=2**53, description="`next` of the answer before; 0 for all.")]


class Snapshot(BaseModel):
    """One snapshot."""

    name: str
    iteration: int
    accuracy: Share | None
    loss: float | None
    best: bool


class Shown(BaseModel):
    """One generation."""

    number: int
    name: str
    parent: int | None
    created: str
    classes: list[str]
    state: Literal["prepared", "training", "in use", "trained", "stopped"]
    holder: str | None
    """The command that works on it now."""
    pictures: dict[str, int]
    counts: dict[str, dict[str, int]]
    accuracy: Share | None
    interval: tuple[float, float] | None
    validation_accuracy: Share | None
    """Accuracy of the best snapshot, where there are validation pictures."""
    solver_split: Literal["validation", "test"]
    """The pictures that `accuracy` and `loss` of the snapshots are about."""
    verdict: str | None
    trained: str | None
    iterations: int | None
    snapshots: list[Snapshot]


class Every(BaseModel):
    """All generations."""

    live: str | None
    """The snapshot that answers."""
    pinned: bool
    generations: list[Shown]


class Metrics(BaseModel):
    """Some lines of a training's figures."""

    lines: list[dict[str, Any]]
    next: int
    running: bool


class Promoted(BaseModel):
    """The snapshot that answers now."""

    live: str


@router.get("", response_model=Every)
async def generations(state: Shared) -> dict[str, Any]:
    """Every generation, oldest first, and the snapshot that answers."""
    return await asyncio.to_thread(_overview, state)


@router.get("/{number}", response_model=Shown)
async def generation(state: Shared, number: Number) -> dict[str, Any]:
    """One generation."""
    for one in (await asyncio.to_thread(_overview, state))["generations"]:
        if one["number"] == number:
            found: dict[str, Any] = one
            return found
    raise _missing(number)


@router.get("/{number}/metrics", response_model=Metrics)
async def metrics(state: Shared, number: Number, start: Start = 0) -> dict[str, Any]:
    """The figures of its training, from a byte of the file on: fetch again with `next` while `running`."""
    one = await asyncio.to_thread(_existing, state, number)
    return await asyncio.to_thread(following.metrics, one, start)


@router.post("/{number}/promote", response_model=Promoted)
async def promote(state: Shared, number: Number) -> dict[str, str]:
    """Let the best snapshot of a generation answer from now on."""
    await asyncio.to_thread(_existing, state, number)
    await asyncio.to_thread(state.project.pin, f"gen{number}/best")
    await asyncio.to_thread(state.judge.refresh)
    return {"live": state.judge.name or f"gen{number}"}


@router.get(
    "/{number}/report",
    response_class=Response,
    responses={200: {"content": {"text/html": {}}, "description": "The page."}},
)
async def report(state: Shared, number: Number) -> Response:
    """The page about a generation, once a job has written it. It stands alone: it may load and run nothing."""
    one = await asyncio.to_thread(_existing, state, number)
    try:
        text = await asyncio.to_thread(report_file(one).read_text, encoding="utf-8")
    except FileNotFoundError:
        raise Refused(404, f"no report of generation {number} yet", hint='POST /api/jobs {"kind": "report"}') from None
    return HTMLResponse(text, headers={"content-security-policy": _policy(text)})


def _policy(text: str) -> str:
    """What the page may load: nothing but its own pictures and its own style, which is named by its hash."""
    sums = (hashlib.sha256(one.encode()).digest() for one in re.findall(r"<style>(.*?)</style>", text, re.DOTALL))
    styles = " ".join(f"'sha256-{base64.b64encode(one).decode()}'" for one in sums) or "'none'"
    return (
        f"default-src 'none'; img-src data:; style-src {styles}; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )


def _overview(state: State) -> dict[str, Any]:
    pinned = False
    name = state.judge.name
    try:
        live = state.project.live().found
        pinned, name = live.pinned, name or live.reference.name
    except WorkflowError:  # there is no snapshot yet
        pass
    return {"live": name, "pinned": pinned, "generations": [one.json() for one in state.project.overview()]}


def _existing(state: State, number: int) -> Generation:
    for one in state.project.generations:
        if one.number == number:
            return one
    raise _missing(number)


def _missing(number: int) -> Refused:
    return Refused(404, f"no generation {number}", hint="GET /api/generations lists them", fault="L01")
