"""The crew of a Ray cluster: this process gives out parts, and `ray` speaks with Ray in a process of its own."""

from __future__ import annotations

import itertools
import logging
import queue
import signal
import threading
import time
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

import msgspec

from workflow.cluster.connection import Answers, Connection, connected
from workflow.cluster.local import Death
from workflow.cluster.messages import ASK, BEGIN, DEATH, END
from workflow.cluster.parts import Part
from workflow.cluster.process import checked, greeting
from workflow.cluster.receipt import Receipt
from workflow.cluster.site import Site
from workflow.cluster.team import Team
from workflow.cluster.work import Work
from workflow.cluster.worker import DONE
from workflow.config import Cluster
from workflow.words import counted

_EVERY = 60.0  # seconds between two reports of how fast the hosts are

_log = logging.getLogger("workflow")
_names = map(str.encode, map(str, itertools.count()))


class Remote:
    """A `Crew` of all workers that Ray knows: `Remote(Cluster(address="local")).map(work, parts, folder)`."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def map(self, work: Work, parts: Iterable[Part], folder: Path) -> Iterator[Receipt]:
        """See `crew.Crew`; all workers must see the folder.

        Raises:
            EngineMissing: Ray is not installed.
            EnvironmentFault: R01, Ray cannot be reached, or was lost; R02, R03, a worker has not what is needed.
        """
        coming = iter(parts)
        if (first := next(coming, None)) is None:
            return
        site = Site.here(work, first, folder)
        connection = connected(self._cluster)
        packed = msgspec.json.encode(site)
        connection.look(packed, self._cluster.start_timeout)
        speeds = _Speeds()
        _log.info("%s on %s of Ray", counted(connection.workers, "worker"), counted(connection.hosts, "machine"))
        new = partial(Slot, connection, (packed, *greeting(work, folder.absolute())), speeds)
        with Team(new, folder, connection.workers, self._cluster.attempts) as team:
            yield from team.receipts(itertools.chain((first,), coming))
        speeds.tell()


class Slot:
    """A worker whose process is wherever Ray finds a free core, which it keeps until its end: one part at a time."""

    def __init__(self, connection: Connection, facts: tuple[bytes, ...], speeds: _Speeds) -> None:
        self._connection, self._facts, self._speeds = connection, facts, speeds
        self._name = next(_names)
        self._answers: Answers = queue.SimpleQueue()

    def begin(self) -> list[str]:
        """See `local.Worker`; waits for a free core, too."""
        texts: list[str] = msgspec.json.decode(self._asked(0, BEGIN, self._name, *self._facts)[1])
        return texts

    def ask(self, part: Part) -> bool:
        """See `local.Worker`."""
        return self._asked(len(part.items), ASK, self._name, msgspec.json.encode(part))[0] == DONE

    def end(self) -> None:
        """Wait no longer, and give the core back; a part that is being done may still get its result."""
        self._connection.tell(END, self._name)
        self._answers.put([DEATH, str(-signal.SIGTERM).encode()])

    def _asked(self, items: int, *message: bytes) -> list[bytes]:
        answer = self._connection.ask(self._answers, *message).get()
        if answer[0] == DEATH:
            raise Death(int(answer[1]))
        _, host, seconds, *said = checked(self._connection.alive(answer))
        self._speeds.add(host.decode(), items, float(seconds))
        return checked(said)


class _Speeds:
    """How many items a worker does in a second, by the machine that it is on; said now and then."""

    def __init__(self) -> None:
        self._done: dict[str, tuple[int, float]] = {}
        self._said = time.monotonic()
        self._lock = threading.Lock()

    def add(self, host: str, items: int, seconds: float) -> None:
        """A worker has done some."""
        with self._lock:
            before = self._done.get(host, (0, 0.0))
            self._done[host] = before[0] + items, before[1] + seconds
            if (now := time.monotonic()) - self._said < _EVERY:
                return
            self._said = now
        self.tell()

    def tell(self) -> None:
        """Say it."""
        speeds = sorted((host, items / seconds) for host, (items, seconds) in self._done.items() if items and seconds)
        if speeds:
            named = ", ".join(f"{host} {speed:,.0f}" for host, speed in speeds)
            _log.info("pictures/s of each worker: %s", named)
