"""A lock for work that is more than a transaction: one process or thread at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from workflow.errors import BusyError

Task = Literal["opening", "learning", "takeover"]
_PATIENCE: dict[Task, float] = {"opening": 30, "learning": 300, "takeover": 60}
"""Seconds that one waits for another: 100,000 pictures are learnt in some seconds."""


@contextmanager
def alone(folder: Path, task: Task) -> Iterator[None]:
    """Hold one of the inbox's locks; no other process or thread can then. The lock of a dead process is free.

    `takeover` is taken before `learning`, never the other way round.

    Raises:
        BusyError: another one takes too long.
    """
    import filelock

    lock = folder / f".{task}.lock"
    try:
        with filelock.FileLock(lock, timeout=_PATIENCE[task], thread_local=False, mode=0o600):
            yield
    except filelock.Timeout:
        raise BusyError(f"another process has held {lock} for {_PATIENCE[task]:.0f} s", hint="try again") from None
