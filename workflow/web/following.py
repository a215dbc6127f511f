"""Follow what any process does in the project: new or changed generations, and running trainings."""

from __future__ import annotations

import asyncio
import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from workflow.errors import WorkflowError
from workflow.generations import Generation, generations

if TYPE_CHECKING:
    from workflow.api import Project
    from workflow.inbox import Inbox
    from workflow.web.events import Hub

_log = logging.getLogger("workflow")
_SECONDS = 0.5
_PATIENCE = 10.0  # seconds to wait after a failure
_LONGEST = 2**20  # bytes of metrics in one answer

Stamp = tuple[int, int] | None
"""Changes when a file does; None without it."""


class _Seen(NamedTuple):
    """A generation at one moment."""

    record: Stamp
    metrics: Stamp
    held: bool
    """Whether a process works on it."""


class Follower:
    """Looks at the files of the generations twice a second, and tells pages what changed.

    Args:
        project: whose generations.
        inbox: which learns the pictures of new generations.
        events: gets `generation` {number, running} and `metrics` {generation}.
    """

    def __init__(self, project: Project, inbox: Inbox, events: Hub) -> None:
        self._project, self._inbox, self._events = project, inbox, events
        self._seen: dict[int, _Seen] | None = None
        self._task = asyncio.create_task(self._run())

    def close(self) -> None:
        """Stop."""
        self._task.cancel()

    async def _run(self) -> None:
        while True:
            try:
                await self._follow()
            except Exception:  # a disk error: look again later
                _log.exception("cannot look at the generations")
                await asyncio.sleep(_PATIENCE)
            await asyncio.sleep(_SECONDS)

    async def _follow(self) -> None:
        """Look once, and report what is new since the last look."""
        now = await asyncio.to_thread(self._look)
        before, self._seen = self._seen, now
        if before is None:
            await self._learn()
            return
        if {number: one.record for number, one in now.items()} != {
            number: one.record for number, one in before.items()
        }:
            await self._learn()
        for number in sorted(now.keys() | before.keys()):
            self._tell(number, before.get(number), now.get(number))

    def _tell(self, number: int, before: _Seen | None, now: _Seen | None) -> None:
        if before == now:
            return
        if before is None or now is None or (before.record, before.held) != (now.record, now.held):
            self._events.publish("generation", {"number": number, "running": bool(now and now.held)})
        if now is not None and (before is None or before.metrics != now.metrics):
            self._events.publish("metrics", {"generation": number})

    def _look(self) -> dict[int, _Seen]:
        return {
            one.number: _Seen(_stamp(one.record_path), _stamp(metrics_file(one)), one.holder is not None)
            for one in generations(self._project.config)
        }

    async def _learn(self) -> None:
        try:
            await asyncio.to_thread(self._inbox.learn)
        except WorkflowError as error:  # a damaged manifest: other commands say more
            _log.warning("%s", error.message)


def metrics_file(one: Generation) -> Path:
    """The figures of a generation's training, a line for each step and test pass."""
    return one.logs / "metrics.jsonl"


def metrics(one: Generation, start: int) -> dict[str, Any]:
    """The lines of the metrics from a byte on: whole lines only, 1 MiB at most.

    Args:
        one: the generation.
        start: `next` of the answer before; 0 for all. If it is beyond the end, a new run has begun, and all lines are
            given.

    Returns:
        `lines` (objects), `next` and `running`: whether more is to come.
    """
    running = one.holder is not None
    try:
        with metrics_file(one).open("rb") as file:
            size = file.seek(0, 2)
            start = start if start <= size else 0
            file.seek(start)
            data = file.read(_LONGEST)
    except FileNotFoundError:
        return {"lines": [], "next": 0, "running": running}
    data = data[: data.rfind(b"\n") + 1]
    return {"lines": _lines(data), "next": start + len(data), "running": running}


def _lines(data: bytes) -> list[Any]:
    found = []
    for line in data.splitlines():
        try:
            found.append(json.loads(line, parse_constant=lambda _: None))  # NaN of a run that diverged
        except ValueError:  # of a run that was killed
            continue
    return found


def _stamp(path: Path) -> Stamp:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
