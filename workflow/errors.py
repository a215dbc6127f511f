"""All errors that a user can cause, as a tree of exceptions; each branch has its exit code.

WorkflowError                     70  a bug, if nothing below fits
├── FindingError                   1  a check ran and found something (verify)
├── UsageError                     2  flags, settings and prototxt: what the user wrote
│   ├── ConfigError                   YAML settings
│   ├── PrototxtError                 text that is not a net or a solver
│   ├── NetError                      a net or solver that cannot be built
│   └── NotFound                      a picture, queue or sender that is not there
├── DataError                      3  files that are damaged, missing or contradict each other
│   ├── DatabaseError                 LMDB and its records
│   └── ModelError                    caffemodel, solverstate, mean, labels
├── DivergedError                  4  the loss became NaN or infinite
├── BusyError                      5  another process holds the generation
└── EnvironmentFault               6  disk, permission, memory
    └── EngineMissing                 an engine that cannot run here
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

# what the machine refuses, wherever it does so
_REFUSED = {
    errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.ENOMEM,
    errno.EACCES, errno.EPERM, errno.EROFS, errno.EMFILE, errno.ENFILE,
}  # fmt: skip
# a file where a folder should be written, or the other way round; not ENOENT, which would be a bug in wf
_IN_THE_WAY = {errno.EEXIST, errno.EISDIR, errno.ENOTDIR, errno.ENAMETOOLONG}


@dataclass(frozen=True, kw_only=True)
class Location:
    """A place in a text file; line and column count from 1, 0 where unknown."""

    path: Path | str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        numbers = [str(number) for number in (self.line, self.column) if number]
        return ":".join([str(self.path), *numbers])


class WorkflowError(Exception):
    """One clear sentence: what is wrong, with the value got and the one expected.

    Args:
        message: the sentence, lower case, names in quotes.
        at: the file and position that it speaks of.
        hint: what to do next, usually a command.
        fault: the row of the catalogue of faults (`L03`), for `--json` and for searching.
    """

    exit_code = 70

    def __init__(
        self,
        message: str,
        *,
        at: Location | Path | str | None = None,
        hint: str | None = None,
        fault: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.at = Location(path=at) if isinstance(at, (Path, str)) else at
        self.hint = hint
        self.fault = fault

    def __str__(self) -> str:
        lines = [self.message]
        if self.at is not None and (self.at.line or str(self.at.path) not in self.message):
            lines.append(f" --> {self.at}")
        if self.hint:
            lines.append(f"hint: {self.hint}")
        return "\n".join(lines)


class FindingError(WorkflowError):
    """A check that ran to its end and found something."""

    exit_code = 1


class UsageError(WorkflowError):
    """Options, settings or prototxt that cannot be used as written."""

    exit_code = 2


class ConfigError(UsageError):
    """A YAML setting that is unknown, of the wrong kind or out of range."""


class PrototxtError(UsageError):
    """Text that does not parse as the message it should hold; carries line and column."""


class NetError(UsageError):
    """A net or solver that parses but cannot be built."""


class NotFound(UsageError):
    """A picture, queue or sender of the inbox that is not there."""


class DataError(WorkflowError):
    """Pictures, folders or files that are damaged, missing or contradict each other."""

    exit_code = 3


class DatabaseError(DataError):
    """An LMDB that is missing, damaged, of the wrong format, or holds a wrong record."""


class ModelError(DataError):
    """A caffemodel, solverstate, mean or labels file that is damaged or does not fit."""


class DivergedError(WorkflowError):
    """Training whose loss became NaN or infinite."""

    exit_code = 4


class BusyError(WorkflowError):
    """A generation that another process is working on."""

    exit_code = 5


class EnvironmentFault(WorkflowError):
    """A full disk, a missing permission, too little memory."""

    exit_code = 6


class EngineMissing(EnvironmentFault):
    """An engine that cannot run on this machine; the hint says how to get it."""


@contextmanager
def system_errors() -> Iterator[None]:
    """Turn errors of the operating system into errors of this tree; also a decorator.

    The front door of the library and the command line put it around everything; between them an OSError says enough.

    Raises:
        EnvironmentFault: a full or broken disk, a missing permission, too little memory.
        UsageError: a file where a folder should be written, or the other way round.
        OSError: any other.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _REFUSED:
            where = f"{os.fsdecode(error.filename)}: " if error.filename else ""
            raise EnvironmentFault(f"{where}{_reason(error)}") from error
        if error.errno in _IN_THE_WAY:
            place = error.filename2 or error.filename  # of a rename: the name that was asked for
            where = f"cannot write {os.fsdecode(place)}: " if place else ""
            raise UsageError(f"{where}{_reason(error)}", hint="name another file or folder") from error
        raise
    except MemoryError as error:
        raise EnvironmentFault(
            "not enough memory", hint="a smaller batch_size, or smaller pictures, need less"
        ) from error


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def did_you_mean(name: str, known: list[str] | tuple[str, ...]) -> str | None:
    """A hint that names the closest of `known`, or lists them all; None if there are none."""
    from difflib import get_close_matches  # 10 ms that only an error needs

    if not known:
        return None
    spellings = {one.lower(): one for one in known}
    close = get_close_matches(name.lower(), spellings, n=1)
    return f"did you mean '{spellings[close[0]]}'?" if close else f"known: {', '.join(known)}"
