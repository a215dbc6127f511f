"""Those who do a work: what any crew can, and what this machine's is made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

from workflow.cluster.parts import Part
from workflow.cluster.receipt import Receipt
from workflow.cluster.work import Work


class Crew(Protocol):
    """Does a work part by part, wherever its workers are."""

    def map(self, work: Work, parts: Iterable[Part], folder: Path) -> Iterator[Receipt]:
        """Do every part whose result is not in `folder` yet; receipts come as parts get done, in no order.

        Raises:
            OSError: a result cannot be written.
            EnvironmentFault: T13, one process after the other was killed.
            WorkflowError: as the work's own.
        """
        ...


class Workers(NamedTuple):
    """Who works on this machine: one is this thread itself, several are threads or processes."""

    size: int
    processes: bool = False
