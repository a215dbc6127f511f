"""One picture: its facts, thumbnails, reports, and looks inside."""

from __future__ import annotations

import asyncio
import functools
from enum import IntEnum
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import FileResponse, Response

from workflow.inbox.thumbnails import content_type
from workflow.web.errors import Refused
from workflow.web.routes.jobs import Begun, begun
from workflow.web.routes.judge import SNAPSHOT, Known, Share
from workflow.web.state import Asking, Caller, Shared, State

router = APIRouter(prefix="/api/pictures", tags=["pictures"])

Sha256 = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of the file, 64 hexadecimal digits.")]
Blob = Annotated[str, Path(max_length=100, pattern=r"^[A-Za-z0-9_.-]+$", description="Such as conv1.")]


class Side(IntEnum):
    """The longest side of a small picture, in pixels."""

    SMALL = 256
    MEDIUM = 512
    LARGE = 1024


class Answer(BaseModel):
    """What a snapshot answered when the picture was sent."""

    snapshot: str | None
    label: str | None
    probability: Share | None
    probabilities: dict[str, Share]
    at: str
    sender: str | None


class Reported(BaseModel):
    """The class that a sender reported for it."""

    class_: Annotated[str | None, Field(alias="class")]
    note: str | None
    at: str
    sender: str | None


class Decided(BaseModel):
    """The decision about it."""

    seq: int
    kind: str
    class_: Annotated[str | None, Field(alias="class")]
    was: str | None
    queue: str | None
    at: str
    by: str | None
    undone: bool


class Facts(BaseModel):
    """Everything that is known of a picture."""

    sha256: str
    format: str | None
    width: int | None
    """Width of the file, before it is turned upright."""
    height: int | None
    bytes: int | None
    origin: str
    """`sent`, `generation` or `folder`."""
    sender: str | None
    received: str | None
    known: Known | None
    """Its class and path in the newest generation that holds it."""
    label: str | None
    state: str | None
    """`label`, `keep`, `remove` or `later`."""
    seq: int
    """The last event, to be sent with a decision; 0 for none."""
    answers: list[Answer]
    reports: list[Reported]
    events: list[Decided]


class Report(BaseModel):
    """A sender's claim about a picture: a report, not a label."""

    model_config = ConfigDict(extra="forbid")

    class_: Annotated[str | None, Field(alias="class", max_length=200)]
    """One of the classes; null: something else."""
    note: Annotated[str | None, Field(max_length=500)] = None


class Said(BaseModel):
    """A report that was kept."""

    report: int


class Look(BaseModel):
    """A way to look at a picture."""

    model_config = ConfigDict(extra="forbid")

    look: Literal["inspect", "twin", "maps", "why", "invert", "dream", "film"]
    snapshot: Annotated[str, Field(pattern=rf"^{SNAPSHOT}$")] | None = None
    """null is the one that answers."""


@router.get("/{sha256}", response_model=Facts)
async def facts(state: Shared, caller: Asking, sha256: Sha256) -> dict[str, Any]:
    """Everything that is known of a picture; a bot sees its own."""
    await own(state, caller, sha256)
    return await asyncio.to_thread(state.inbox.picture, sha256)


@router.get(
    "/{sha256}/thumb",
    response_class=Response,
    responses={200: {"content": {"image/png": {}, "image/jpeg": {}}, "description": "The small picture."}},
)
async def thumb(state: Shared, caller: Asking, sha256: Sha256, side: Side = Side.SMALL) -> Response:
    """A small picture, encoded again without the file's metadata; the file itself is never served."""
    await own(state, caller, sha256)
    loop = asyncio.get_running_loop()

    def make(data: bytes, longest: int) -> bytes:
        return asyncio.run_coroutine_threadsafe(state.decoders.thumbnail(data, longest), loop).result()

    data = await asyncio.to_thread(state.inbox.thumbnail, sha256, side, make)
    return Response(
        data, media_type=content_type(data), headers={"cache-control": "private, max-age=31536000, immutable"}
    )


@router.get(
    "/{sha256}/blobs/{name}.png",
    response_class=Response,
    responses={200: {"content": {"image/png": {}}, "description": "The grid."}},
)
async def blob(state: Shared, sha256: Sha256, name: Blob) -> Response:
    """The grid of a blob's activations, available after an `inspect` job has drawn it."""
    for job in state.jobs:
        if job.about.get("sha256") == sha256 and job.about.get("look") == "inspect" and job.state == "done":
            path = state.jobs.folder(job) / f"{name}.png"
            if path.is_file():
                return FileResponse(path, media_type="image/png")
    raise Refused(404, f"blob '{name}' of this picture is not drawn", hint='POST …/looks {"look": "inspect"} draws it')


@router.post("/{sha256}/report", response_model=Said)
async def report(state: Shared, caller: Asking, sha256: Sha256, body: Report) -> dict[str, int]:
    """Say what a picture is. Only the owner and labellers label; a report puts the picture in front of them."""
    await own(state, caller, sha256)
    net = state.judge.now
    if body.class_ is not None and net is not None and net.classes is not None and body.class_ not in net.classes:
        raise Refused(422, f"body.class: there is no class '{body.class_}'", hint=f"known: {', '.join(net.classes)}")
    keep = functools.partial(state.inbox.report, sha256, class_name=body.class_, note=body.note, token=caller.author)
    number = await asyncio.to_thread(keep)
    state.events.publish("label", {"sha256": sha256, "kind": "report", "class": body.class_})
    return {"report": number}


@router.post("/{sha256}/looks", status_code=202, response_model=Begun)
async def look(state: Shared, sha256: Sha256, body: Look) -> dict[str, Any]:
    """Look inside, as a job; the same look of the same snapshot is not done twice."""
    net = await state.judge.net(body.snapshot)
    image = await asyncio.to_thread(state.inbox.path, sha256)
    about = {"sha256": sha256, "look": body.look, "snapshot": net.name}
    for job in state.jobs:
        if job.about == about and job.state in ("waiting", "running", "done"):
            return {"job": job.json()}
    wish = {"look": body.look, "snapshot": net.name, "image": str(image.absolute())}
    return begun(await state.jobs.add("look", f"{body.look} {sha256[:8]}", wish, about))


async def own(state: State, caller: Caller, sha256: str) -> None:
    """Let a bot see the pictures that it sent, and no others.

    Raises:
        Refused: 404, as for a picture that is not there.
    """
    if caller.role == "bot" and not await asyncio.to_thread(state.inbox.sent_by, sha256, caller.author):
        raise Refused(404, f"no picture {sha256[:12]}… was sent with this token")
