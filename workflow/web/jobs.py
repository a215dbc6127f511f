"""Jobs: what takes longer than a request, one at a time, each in a process of its own.

They belong to the server, not to the page that asked. What is known of them is in inbox/jobs.json, so that a server
that is started again can say which ones ended with the one before.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from workflow import cores
from workflow.storage import atomic_write
from workflow.web.errors import Busy, Refused

_log = logging.getLogger("workflow")
_PROGRAM = "import sys; sys.path[:] = sys.argv[1:]; from workflow.web.job_process import main; main()"
_MOST_WAITING = 20
_KEPT = 60  # jobs that are remembered when they are over, with what they drew
_GRACE = 10.0  # seconds between asking a process to end and ending it
_LINE = 16 * 2**20  # bytes of a result, at most
_OVER = ("done", "failed", "cancelled", "ended with the server")
FILE = "jobs.json"


@dataclass(kw_only=True)
class Job:
    """One job, as the API shows it."""

    id: int
    kind: str
    title: str
    wish: dict[str, Any]
    """The request that the process gets."""
    about: dict[str, Any]
    """What it is about: `sha256`, `look`, `generation`, `channel` or `queue`."""
    state: str = "waiting"
    done: int = 0
    all: int = 0
    unit: str = ""
    """What `done` and `all` count: pictures, iterations …"""
    started: str | None = None
    finished: str | None = None
    stopping: bool = False
    notes: list[str] = field(default_factory=list)
    result: dict[str, Any] | None = None
    error: dict[str, Any] | None = None

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self.state in _OVER

    def json(self) -> dict[str, Any]:
        """As `GET /api/jobs` gives it."""
        shown = {name: value for name, value in vars(self).items() if name not in ("wish", "about")}
        return self.about | shown


class Jobs:
    """Of one application; lives in its event loop.

    Args:
        folder: the inbox's, for jobs.json.
        common: what every process is told: the project, its settings, the command for the record.
        changed: called with a job that changed.
    """

    def __init__(self, folder: Path, common: Mapping[str, Any], changed: Callable[[Job], None]) -> None:
        self._file = folder / FILE
        self._common, self._changed = dict(common), changed
        self._jobs = {one.id: one for one in self._remembered()}
        self._next = max(self._jobs, default=0) + 1
        self._waiting: asyncio.Queue[Job] = asyncio.Queue()
        self._process: asyncio.subprocess.Process | None = None
        self._running: Job | None = None
        self._writing = asyncio.Lock()
        self._worker = asyncio.create_task(self._work())

    def __iter__(self) -> Iterator[Job]:
        """Every job that is known, the newest first."""
        return iter(sorted(self._jobs.values(), key=lambda one: -one.id))

    def get(self, number: int) -> Job:
        """The job of that number.

        Raises:
            Refused: 404, there is none.
        """
        if number not in self._jobs:
            raise Refused(404, f"no job {number}", hint="GET /api/jobs lists them")
        return self._jobs[number]

    async def add(self, kind: str, title: str, wish: Mapping[str, Any], about: Mapping[str, Any]) -> Job:
        """Queue a job; it begins when those before it have ended.

        Args:
            kind: see `job_process.KINDS`.
            title: for people.
            wish: what the process is told beside `common`, the kind and where its results go.
            about: what it is about.

        Raises:
            Busy: too many wait.
        """
        if self._waiting.qsize() >= _MOST_WAITING:
            raise Busy(f"{self._waiting.qsize()} jobs wait", seconds=10)
        job = Job(id=self._next, kind=kind, title=title, wish=dict(wish), about=dict(about))
        self._next += 1
        self._jobs[job.id] = job
        old = [one for one in self if one.over][_KEPT:]
        for one in old:
            del self._jobs[one.id]
        self._waiting.put_nowait(job)
        self._changed(job)
        await self._remember()
        for one in old:
            await asyncio.to_thread(shutil.rmtree, self.folder(one), ignore_errors=True)
        return job

    async def cancel(self, number: int) -> Job:
        """End a job: a training writes a snapshot first; asked again, it ends at once.

        Raises:
            Refused: 404, there is none.
        """
        job = self.get(number)
        if job is self._running and self._process is not None:
            if job.kind == "train" and not job.stopping:
                await self._send(self._process, "stop")
            elif job.kind == "train":
                with suppress(ProcessLookupError):
                    self._process.kill()
            else:
                asyncio.create_task(_end(self._process))  # noqa: RUF006  # the worker waits for the process itself
            job.stopping = True
            self._changed(job)
        elif job is self._running:  # its process is being started, and will be ended
            job.stopping = True
            self._changed(job)
        elif not job.over:
            await self._settle(job, "cancelled")
        return job

    async def close(self) -> None:
        """End the process that runs; a training writes a snapshot first."""
        self._worker.cancel()
        process, job = self._process, self._running
        if process is not None and job is not None:
            if process.stdin is not None:
                process.stdin.close()  # which the process takes for the end of the server
            await _end(process, gently=job.kind == "train")
        for one in self:
            if not one.over:
                one.state, one.finished = "ended with the server", _now()
        await self._remember()

    # ---- the worker

    async def _work(self) -> None:
        while True:
            job = await self._waiting.get()
            if job.over:  # cancelled while it waited
                continue
            try:
                await self._do(job)
            except Exception as error:  # whatever it is, the next job is done
                _log.exception("job %d failed", job.id)
                job.error = {"id": "", "message": f"{type(error).__name__}: {error}", "hint": None}
                await self._settle(job, "failed")

    async def _do(self, job: Job) -> None:
        job.state, job.started = "running", _now()
        self._running = job
        self._changed(job)
        await self._remember()
        process = self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-c",
            _PROGRAM,
            *sys.path,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=_LINE,
            cwd=self._common["project"],
            env=os.environ | cores.sparing(),
        )
        try:
            if job.stopping:
                process.kill()
            await self._send(process, json.dumps(self._common | {"kind": job.kind} | job.wish | self._place(job)))
            if process.stdout is not None:
                async for line in process.stdout:
                    self._hear(job, json.loads(line))
            code = await process.wait()
        finally:
            self._process = self._running = None
        if job.error is not None:
            await self._settle(job, "failed")
        elif job.result is not None:
            await self._settle(job, "cancelled" if job.stopping and job.kind != "train" else "done")
        elif job.stopping:
            await self._settle(job, "cancelled")
        else:
            message = f"the process of the job ended with {'signal' if code < 0 else 'exit code'} {abs(code)}"
            job.error = {"id": "", "message": message, "hint": "the server's log has the details"}
            await self._settle(job, "failed")

    def _place(self, job: Job) -> dict[str, str]:
        """The folder that a job draws into, and the address of its pictures."""
        return {"folder": str(self.folder(job)), "url": f"/api/jobs/{job.id}/pictures"}

    def folder(self, job: Job) -> Path:
        """The folder of a job's pictures; those about a picture go when the picture is deleted."""
        home = self._file.parent / "looks"
        return home / job.about["sha256"] / str(job.id) if "sha256" in job.about else home / str(job.id)

    def _hear(self, job: Job, line: Mapping[str, Any]) -> None:
        match line:
            case {"progress": [done, every, unit]}:
                job.done, job.all, job.unit = done, every, unit
            case {"note": text}:
                job.notes.append(text)
            case {"result": result}:
                job.result = result
            case {"error": error}:
                job.error = error
        self._changed(job)

    async def _settle(self, job: Job, state: str) -> None:
        job.state, job.finished = state, _now()
        self._changed(job)
        await self._remember()

    @staticmethod
    async def _send(process: asyncio.subprocess.Process, line: str) -> None:
        if process.stdin is not None:
            process.stdin.write(line.encode() + b"\n")
            with suppress(ConnectionError):
                await process.stdin.drain()

    # ---- on disk

    async def _remember(self) -> None:
        async with self._writing:  # in the order of the changes
            text = json.dumps([vars(one) for one in self])
            try:
                await asyncio.to_thread(atomic_write, self._file, text.encode())
            except OSError as error:  # a full disk must not end what runs
                _log.warning("cannot write %s: %s", self._file, error.strerror or error)

    def _remembered(self) -> list[Job]:
        """The jobs of earlier servers; what had not ended then has ended with them."""
        try:
            found = [Job(**facts) for facts in json.loads(self._file.read_text(encoding="utf-8"))]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, TypeError) as error:
            _log.warning("%s is ignored: %s", self._file, error)
            return []
        for one in found:
            if not one.over:
                one.state, one.finished = "ended with the server", one.finished or _now()
        return found


async def _end(process: asyncio.subprocess.Process, *, gently: bool = False) -> None:
    """End a process: ask it, then kill it if it does not end. `gently` waits first, since it is ending by itself."""
    if gently and await _ended(process):
        return
    with suppress(ProcessLookupError):
        process.terminate()
        if not await _ended(process):
            process.kill()
            await process.wait()


async def _ended(process: asyncio.subprocess.Process) -> bool:
    """Whether it ends soon."""
    try:
        await asyncio.wait_for(process.wait(), _GRACE)
    except TimeoutError:
        return False
    return True


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
