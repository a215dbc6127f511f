"""LMDB environments open in this process: a file must not be opened twice, nor kept across a fork."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import lmdb

from workflow.errors import DatabaseError
from workflow.formats.lmdb.header import operating_system_says

_lock = threading.Lock()
_open: dict[str, Handle] = {}
"""Real path -> what this process, or the parent that it was forked from, has opened."""


class Handle:
    """An environment opened for reading, and how many readers use it."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.pid = os.getpid()
        # No lock file is needed where nothing is written, and a read-only folder could not hold one (L10).
        self.environment: Any = lmdb.open(folder, readonly=True, create=False, lock=False, max_dbs=0)
        self.users = 0

    def release(self) -> None:
        """Release one reader; the last one closes the files."""
        with _lock:
            self.users -= 1
            if self.users <= 0 and _open.get(self.folder) is self:
                del _open[self.folder]
                self.environment.close()


def acquire(folder: Path) -> Handle:
    """The process's handle for a folder, opened if it is not.

    Raises:
        DatabaseError: LMDB refuses the file.
        EnvironmentFault: the operating system refuses.
    """
    place = os.path.realpath(folder)
    with _lock:
        return _acquired(place, folder)


def _acquired(place: str, folder: Path) -> Handle:
    handle = _open.get(place)
    if handle is not None and handle.pid != os.getpid():
        # The parent's: closing it here unmaps this process's copy alone; the parent keeps its own (L11).
        handle.environment.close()
        handle = None
    if handle is None:
        try:
            handle = Handle(place)
        except (lmdb.InvalidError, lmdb.VersionMismatchError, lmdb.CorruptedError) as error:
            raise DatabaseError(f"{folder} is not an LMDB 0.9 database: {error}", fault="L03") from error
        except (lmdb.Error, OSError) as error:
            raise operating_system_says(folder, error) from error
        _open[place] = handle
    handle.users += 1
    return handle
