"""What a worker of this machine is, and the one that is this process itself."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Protocol

from workflow.cluster.parts import Part
from workflow.cluster.receipt import result_path
from workflow.cluster.work import Task, Work
from workflow.storage import temporary_name

MEMORY_EXIT = 12  # exit code of a program that had too little memory, whatever it was doing
OUT_OF_MEMORY = "out of memory"


class Death(Exception):
    """A process ended before it had answered."""

    def __init__(self, code: int) -> None:
        self.code = code
        name = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        self.how = OUT_OF_MEMORY if code in (-signal.SIGKILL, MEMORY_EXIT) else name
        """What is said of an item at which it happens: the kernel kills so when memory runs out."""
        super().__init__(f"with {name}")


class Worker(Protocol):
    """Computes parts, one at a time."""

    def __init__(self, work: Work, folder: Path) -> None: ...

    def begin(self) -> list[str]:
        """Wait until it has loaded what it needs; the warnings that came of it."""
        ...

    def ask(self, part: Part) -> bool:
        """Compute a part; whether memory sufficed.

        Raises:
            Death: its process ended.
        """
        ...

    def end(self) -> None:
        """Let it go; nothing is left of it then."""
        ...


class Local:
    """A worker in this process."""

    def __init__(self, work: Work, folder: Path) -> None:
        self._work, self._folder = work, folder

    def begin(self) -> list[str]:
        """See `Worker`; warnings have been logged already."""
        self._task: Task = self._work.begin()
        return []

    def ask(self, part: Part) -> bool:
        """See `Worker`."""
        return perform(self._task, part, self._folder)

    def end(self) -> None:
        """Nothing."""


def perform(task: Task, part: Part, folder: Path) -> bool:
    """Compute a part and commit its result; whether memory sufficed.

    Raises:
        OSError: the result cannot be written.
        WorkflowError: as the work's own.
    """
    path = result_path(folder, part.number)
    temporary = temporary_name(path)
    try:
        with temporary.open("wb") as out:
            task(part, out)
        temporary.rename(path)
    except MemoryError:
        temporary.unlink(missing_ok=True)
        if part.alone:
            raise
        return False
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return True
