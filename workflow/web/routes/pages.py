"""The pages. Each is a frame in the reader's language; its module in static/ fills it with what the API answers."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from workflow.web.page import page
from workflow.web.state import Shared
from workflow.web.words import LANGUAGES, LOCALES

router = APIRouter(include_in_schema=False)

Queue = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")]
Sha256 = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]
Number = Annotated[int, Path(ge=0, le=999_999)]
Blob = Annotated[str, Path(max_length=100, pattern=r"^[A-Za-z0-9_./-]+$")]
Channel = Annotated[int, Path(ge=0, le=999_999)]
Language = Annotated[str, Path(pattern=f"^({'|'.join(LANGUAGES)})$")]


@router.get("/")
async def judge(request: Request, state: Shared) -> Response:
    """Judge pictures."""
    return page(request, state, "judge", tab="judge")


@router.get("/p/{sha256}")
async def look(request: Request, state: Shared, sha256: Sha256) -> Response:
    """Look inside one picture."""
    return page(request, state, "look", sha256=sha256)


@router.get("/label")
async def label_queues(request: Request, state: Shared) -> Response:
    """Choose a queue to label."""
    return page(request, state, "queues", tab="label")


@router.get("/label/{queue}")
async def label(request: Request, state: Shared, queue: Queue) -> Response:
    """Label one picture after the other."""
    return page(request, state, "label", tab="label", queue=queue)


@router.get("/review")
async def review_queues(request: Request, state: Shared) -> Response:
    """Choose a queue to review."""
    return page(request, state, "queues", tab="review")


@router.get("/review/{queue}")
async def review(request: Request, state: Shared, queue: Queue) -> Response:
    """Review a queue as a grid; `all` is every picture."""
    return page(request, state, "review", tab="review", queue=queue)


@router.get("/gen")
async def generations(request: Request, state: Shared) -> Response:
    """List the generations."""
    return page(request, state, "generations", tab="generations")


@router.get("/gen/{number}")
async def generation(request: Request, state: Shared, number: Number) -> Response:
    """Show one generation."""
    return page(request, state, "generation", tab="generations", number=number)


@router.get("/gen/{number}/{blob:path}/{channel}")
async def channel(request: Request, state: Shared, number: Number, blob: Blob, channel: Channel) -> Response:
    """Show what one channel responds to."""
    return page(request, state, "channel", tab="generations", number=number, blob=blob, channel=channel)


@router.get("/loop")
async def loop(request: Request, state: Shared) -> Response:
    """Take over, prepare, train, compare."""
    return page(request, state, "loop", tab="loop")


@router.get("/tokens")
async def tokens(request: Request, state: Shared) -> Response:
    """Make and revoke tokens of bots and helpers."""
    return page(request, state, "tokens", tab="label")


@router.get("/static/locales/{language}.json")
async def locale(language: Language) -> Response:
    """The words of one language."""
    return Response((LOCALES / f"{language}.json").read_bytes(), media_type="application/json")
