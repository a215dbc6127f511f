"""A picture goes in, the net's answer comes out."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from starlette.datastructures import UploadFile
from starlette.responses import JSONResponse, Response

from workflow import inbox
from workflow.web.decoders import format_of
from workflow.web.errors import Refused
from workflow.web.state import Asking, Shared, State

if TYPE_CHECKING:
    from workflow.api.judging import Judgement, Judging
    from workflow.web.decoders import Decoded

router = APIRouter(tags=["judge"])

SNAPSHOT = r"gen[0-9]{1,6}(/seed_[0-9]{1,10})?/iter_[0-9]{1,10}"
Reference = Annotated[
    str, Query(pattern=rf"^{SNAPSHOT}$", description="One of the project's snapshots.", examples=["gen1/iter_20"])
]
Keep = Annotated[bool, Query(description="Whether the picture is kept, to be looked at and labelled.")]
Own = Annotated[str, Query(max_length=500, description="The sender's own name for it: the address of a post.")]
Share = Annotated[float, Field(ge=0, le=1)]


class Known(BaseModel):
    """Where a generation has a picture."""

    class_: Annotated[str, Field(alias="class")]
    generation: int
    split: str
    path: str


class Judged(BaseModel):
    """The net's answer about a picture."""

    sha256: str
    label: str
    probability: Share
    probabilities: dict[str, Share]
    unknown: bool
    """Whether it is less like the training pictures than 95 % of the validation pictures are: `label` says little."""
    distance: float | None
    """To the training pictures; `unknown` beyond 1. None for a snapshot without validation pictures."""
    snapshot: str
    known: Known | None
    page: str


class Health(BaseModel):
    """Whether the server answers."""

    status: str
    snapshot: str | None
    """The one that answers; None while there is none."""
    waiting: int
    """Pictures that wait for an answer."""


_PICTURE = {"schema": {"type": "string", "format": "binary"}}
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "image/*": _PICTURE,
            "application/octet-stream": _PICTURE,
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {"picture": {"type": "string", "format": "binary"}},
                    "required": ["picture"],
                }
            },
        },
    }
}


@router.post("/api/judge", response_model=Judged, openapi_extra=_BODY)
async def judge(
    request: Request,
    state: Shared,
    caller: Asking,
    snapshot: Reference | None = None,
    keep: Keep = True,
    ref: Own | None = None,
) -> Response:
    """Judge a picture: the body is the file, or a form with one file.

    JPEG, PNG, BMP, GIF, WebP and AVIF, at most 20 MiB; 50 megapixels for a baseline JPEG, 12 for others.
    """
    with state.limits.picture():
        data = await read_picture(request)
        net = await state.judge.net(snapshot)
        if keep:
            async with _keeping(state, data) as keeping:
                decoded, found = await _answer(state, net, data)
                submission = inbox.Submission(
                    width=decoded.width,
                    height=decoded.height,
                    token=caller.author,
                    ref=ref,
                    snapshot=net.name,
                    probabilities=found.probabilities,
                )
                kept = await keeping  # the row is entered once the bytes are on the disk
                entered = await inbox.acknowledged(state.inbox.enter(kept, submission))
            sha256, known = kept.sha256, entered.known
        else:
            _, found = await _answer(state, net, data)
            sha256, known = await asyncio.to_thread(_known, state, data)
    answer = {
        "sha256": sha256,
        "label": found.label,
        "probability": found.probability,
        "probabilities": found.probabilities,
        "unknown": found.unknown,
        "distance": found.distance,
        "snapshot": net.name,
        "known": None if known is None else known.json(),
        "page": f"/p/{sha256}",
    }
    if keep:
        told = {name: answer[name] for name in ("sha256", "label", "probability", "unknown", "snapshot")}
        state.events.publish("judged", told | {"sender": caller.name})
    return JSONResponse(answer)


@router.get("/healthz", response_model=Health)
async def health(state: Shared) -> dict[str, Any]:
    """Whether the server answers, and with which snapshot."""
    return {"status": "ok", "snapshot": state.judge.name, "waiting": state.limits.pending}


async def read_picture(request: Request) -> bytes:
    """The picture in a request's body: the body itself, or the first file of a form.

    Raises:
        Refused: 400, there is none.
    """
    if not request.headers.get("content-type", "").lower().startswith("multipart/"):
        data = await request.body()
    else:
        async with request.form(max_files=1, max_fields=8) as form:
            file = next((one for one in form.values() if isinstance(one, UploadFile)), None)
            if file is None:
                raise Refused(400, "the form has no file", hint="curl -F picture=@FILE")
            data = await file.read()
    if not data:
        raise Refused(400, "the body is empty, expected a picture")
    return data


async def _answer(state: State, net: Judging, data: bytes) -> tuple[Decoded, Judgement]:
    decoded = await state.decoders.pixels(data, net.preprocessing)
    return decoded, await state.judge.label(net, decoded.pixels)


@asynccontextmanager
async def _keeping(state: State, data: bytes) -> AsyncIterator[asyncio.Task[inbox.Kept]]:
    """Write a picture's bytes while it is judged; they are removed if there is no answer.

    Raises:
        Refused: 415, it does not begin as a picture does; nothing is written.
    """
    keeping = asyncio.create_task(asyncio.to_thread(state.inbox.keep, data, format_of(data)))
    try:
        yield keeping
    except BaseException:
        with suppress(Exception):  # they have no row, so that the next server sweeps them
            await asyncio.to_thread(state.inbox.discard, await keeping)
        raise


def _known(state: State, data: bytes) -> tuple[str, inbox.Known | None]:
    sha256 = hashlib.sha256(data).hexdigest()
    return sha256, state.inbox.known(sha256)
