"""The crew of this machine: own processes with one thread each, or threads, or the calling thread itself.

Processes are started fresh (no fork: threads and BLAS do not survive one). What becomes of a part at which one dies is
the same as in any crew, see `team`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

from workflow.cluster.crew import Workers
from workflow.cluster.local import Local, Worker
from workflow.cluster.parts import Part
from workflow.cluster.receipt import Receipt
from workflow.cluster.team import Team
from workflow.cluster.work import Work

_DEATHS = 5  # at one part, before it has to wait


class Here:
    """A `Crew` of this machine: `Here(Workers(2, processes=True)).map(work, parts, folder)`."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers

    def map(self, work: Work, parts: Iterable[Part], folder: Path) -> Iterator[Receipt]:
        """See `crew.Crew`; threads and processes end with the iterator."""
        kind: type[Worker] = Local
        if self._workers.processes:
            from workflow.cluster.process import Process  # which a picture or two do not need

            kind = Process
        with Team(partial(kind, work, folder), folder, self._workers.size, _DEATHS) as team:
            yield from team.receipts(parts)
