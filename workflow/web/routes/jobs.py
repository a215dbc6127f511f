"""Jobs, and the stream of what happens."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Header, Path
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import FileResponse, Response, StreamingResponse

from workflow.web.errors import Problem, Refused
from workflow.web.jobs import Job
from workflow.web.state import Shared, State

router = APIRouter(prefix="/api", tags=["jobs"])

Number = Annotated[int, Path(ge=1, le=10**9)]
Generation = Annotated[int, Field(strict=True, ge=0, le=999_999, examples=[1])]
Named = Annotated[str, Field(pattern=r"^gen[0-9]{1,6}(/(best|latest|iter_[0-9]{1,10}))?$", examples=["gen1"])]
Unit = Annotated[str, Field(max_length=110, pattern=r"^[A-Za-z0-9_./-]+:[0-9]{1,6}$", examples=["conv:1"])]
File = Annotated[str, Path(max_length=110, pattern=r"^[A-Za-z0-9_.-]+\.(png|gif)$")]


class Shown(BaseModel):
    """A job as it stands."""

    model_config = ConfigDict(extra="allow")

    id: int
    kind: str
    title: str
    state: Literal["waiting", "running", "done", "failed", "cancelled", "ended with the server"]
    done: int
    all: int
    unit: str
    started: str | None
    finished: str | None
    stopping: bool
    notes: list[str]
    result: dict[str, Any] | None
    error: Problem | None


class Begun(BaseModel):
    """The job that was begun."""

    job: Shown


class Every(BaseModel):
    """The jobs that are known, the newest first."""

    jobs: list[Shown]


class Wish(BaseModel):
    """What every wish has."""

    model_config = ConfigDict(extra="forbid")


class Prepare(Wish):
    """Make the next generation's data set."""

    kind: Literal["prepare"]


class Train(Wish):
    """Train a generation, or resume it."""

    kind: Literal["train"]
    generation: Generation | None = None
    """null is the newest."""
    max_iter: Annotated[int, Field(strict=True, ge=1, le=10**9)] | None = None
    weights: Named | None = None
    """The snapshot to start from."""
    fresh: Annotated[bool, Field(strict=True)] = False


class Diff(Wish):
    """Compare two generations."""

    kind: Literal["diff"]
    old: Named
    new: Named


class Report(Wish):
    """Write the page about a generation."""

    kind: Literal["report"]
    generation: Generation


class Channel(Wish):
    """What a channel responds to (`channels`), or the input that maximises it (`dream`)."""

    kind: Literal["channels", "dream"]
    generation: Generation
    unit: Unit
    """`conv3:17`."""


class Fill(Wish):
    """Fill a queue again, by the current predictions of the live snapshot."""

    kind: Literal["fill"]
    queue: Literal["mistakes", "suspects", "next", "junk", "folder"]
    folder: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    """For next, junk and folder: one of `GET /api/folders`."""


class Folders(BaseModel):
    """Folders of the project that may hold pictures."""

    folders: list[str]


Wanted = Annotated[Prepare | Train | Diff | Report | Channel | Fill, Body(discriminator="kind")]


@router.get("/jobs", response_model=Every)
async def jobs(state: Shared) -> dict[str, Any]:
    """Every job that is known, the newest first."""
    return {"jobs": [one.json() for one in state.jobs]}


@router.post("/jobs", status_code=202, response_model=Begun)
async def begin(state: Shared, body: Wanted) -> dict[str, Any]:
    """Begin a job, as soon as those before it have ended."""
    match body:
        case Prepare():
            job = await state.jobs.add("prepare", "prepare", {}, {})
        case Train():
            job = await _train(state, body)
        case Diff():
            both = {"old": body.old, "new": body.new}
            job = await state.jobs.add("diff", f"compare {body.old} and {body.new}", both, both)
        case Report():
            await _existing(state, body.generation)
            which = {"generation": body.generation}
            job = await state.jobs.add("report", f"report of gen{body.generation}", which, which)
        case Channel():
            await _existing(state, body.generation)
            about = {"generation": body.generation, "channel": body.unit}
            job = await state.jobs.add(body.kind, f"{body.kind} {body.unit}", about, about)
        case Fill():
            job = await _fill(state, body)
    return begun(job)


@router.get("/folders", response_model=Folders)
async def folders(state: Shared) -> dict[str, list[str]]:
    """Folders in the project folder that may hold pictures; images/ and what wf makes are not among them."""
    return {"folders": await asyncio.to_thread(_folders, state)}


@router.get("/jobs/{number}", response_model=Shown)
async def job(state: Shared, number: Number) -> dict[str, Any]:
    """One job."""
    return state.jobs.get(number).json()


@router.delete("/jobs/{number}", response_model=Begun)
async def cancel(state: Shared, number: Number) -> dict[str, Any]:
    """End a job: a training finishes its iteration and writes a snapshot; asked again, it ends at once."""
    return begun(await state.jobs.cancel(number))


@router.get(
    "/jobs/{number}/pictures/{name}",
    response_class=Response,
    responses={200: {"content": {"image/png": {}, "image/gif": {}}, "description": "The picture."}},
)
async def picture(state: Shared, number: Number, name: File) -> Response:
    """A picture that a job drew."""
    path = state.jobs.folder(state.jobs.get(number)) / name
    if not path.is_file():
        raise Refused(404, f"job {number} drew no {name}")
    return FileResponse(path, headers={"cache-control": "private, max-age=31536000, immutable"})


@router.get(
    "/events",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}, "description": "job, judged, label, generation, metrics."}},
)
async def events(
    state: Shared, last_event_id: Annotated[str | None, Header(max_length=100)] = None
) -> StreamingResponse:
    """What happens, as server-sent events; with Last-Event-ID also what was missed."""
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(state.events.listen(last_event_id), media_type="text/event-stream", headers=headers)


def begun(job: Job) -> dict[str, Any]:
    """The answer to a wish."""
    return {"job": job.json()}


async def _train(state: State, body: Train) -> Job:
    """Begin a training, unless another process uses that generation.

    Raises:
        Refused: 404 no such generation; 409 it is in use.
    """
    one = await _existing(state, body.generation)
    holder = one.holder
    waiting = any(job.kind == "train" and not job.over and job.about["generation"] == one.number for job in state.jobs)
    if holder is not None or waiting:
        by = f" by {holder.command}, pid {holder.pid} on {holder.host_name}" if holder is not None else " by a job"
        raise Refused(409, f"generation {one.number} is in use{by}", hint="wait until it is finished", fault="T10")
    wish = {
        "generation": one.number,
        "max_iter": body.max_iter,
        "weights": body.weights,
        "fresh": body.fresh,
        "promote": state.settings.promote_if_not_worse,
    }
    return await state.jobs.add("train", f"train gen{one.number}", wish, {"generation": one.number})


async def _fill(state: State, body: Fill) -> Job:
    """Begin to fill a queue.

    Raises:
        Refused: 422, no folder, or none of those that there are.
    """
    needed = body.queue in ("next", "junk", "folder")
    known = await asyncio.to_thread(_folders, state) if needed else []
    if needed and body.folder not in known:
        raise Refused(
            422, f"body.folder: queue '{body.queue}' needs one of: {', '.join(known) or 'no folder is there'}"
        )
    path = state.project.root.absolute() / body.folder if needed and body.folder is not None else None
    wish = {"queue": body.queue, "path": None if path is None else str(path), "snapshot": state.judge.name}
    about = {"queue": body.queue, "of": body.folder if needed else None}
    return await state.jobs.add("fill", f"fill {body.queue}", wish, about)


def _folders(state: State) -> list[str]:
    root = state.project.root.absolute()
    made = {state.project.config.generations.name, state.inbox.folder.name, "configs", "prototxt"}
    made |= {path.name for path in state.project.config.images}
    names = (one.name for one in root.iterdir() if one.is_dir() and not one.name.startswith("."))
    return sorted(name for name in names if name not in made)


async def _existing(state: State, number: int | None) -> Any:
    """A generation that is there.

    Raises:
        Refused: 404.
    """
    found = await asyncio.to_thread(lambda: state.project.generations)
    chosen = [one for one in found if number in (None, one.number)]
    if not chosen:
        what = "no generation yet" if number is None else f"no generation {number}"
        raise Refused(404, what, hint="prepare makes the next one", fault="L01")
    return chosen[-1]
