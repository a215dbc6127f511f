"""The one place where the bytes of a picture come from: a file, or a member of a tar.

What is read is an item: a path as the file system has it. Whoever has listed members of a tar puts a ticket behind it
and a zero byte, so that no worker has to look for the member again.
"""

from __future__ import annotations

import os
from pathlib import Path

from workflow.cluster.parts import TICKET
from workflow.data.sources import tars
from workflow.data.sources.files import State, read_stable


def read(item: bytes, most: int) -> tuple[bytes, State]:
    """The bytes of a picture for a data set or a net, and the state of what holds them.

    Args:
        item: which picture.
        most: bytes; a picture with more is refused.

    Raises:
        PictureError: it is too large for a picture.
        OSError: it cannot be read; ESTALE where it changed while it was being read.
        DataError: P40, the item has no ticket, and the tar that its path names is damaged.
    """
    path, sign, ticket = item.partition(TICKET)
    if sign:
        return tars.read_member(path, ticket, most)
    try:
        return read_stable(path, most)
    except NotADirectoryError:
        path, _, ticket = tars.item_of(os.fsdecode(path)).partition(TICKET)
        return tars.read_member(path, ticket, most)


def whole(path: str | Path) -> bytes:
    """The bytes of one picture that a user or a manifest names.

    Raises:
        OSError: as the operating system says it.
        DataError: P40, the path names a member of a damaged tar.
    """
    try:
        return Path(path).read_bytes()
    except NotADirectoryError:
        name, _, ticket = tars.item_of(os.fspath(path)).partition(TICKET)
        return tars.read_member(name, ticket)[0]


def exists(path: str | Path) -> bool:
    """Whether there is something of that name that `whole` reads.

    Raises:
        DataError: P40, as of `whole`.
    """
    try:
        os.stat(path)  # noqa: PTH116
    except NotADirectoryError:
        try:
            tars.item_of(os.fspath(path))
        except OSError:
            return False
    except OSError:
        return False
    return True


def state(item: bytes) -> State | None:
    """The state of what holds a picture; None where that cannot be told: whoever reads it says what is wrong."""
    path, sign, ticket = item.partition(TICKET)
    if sign:
        return tars.state_of(ticket)
    try:
        status = os.stat(path)  # noqa: PTH116  # as the file system has it
    except NotADirectoryError:
        try:
            return state(tars.item_of(os.fsdecode(path)))
        except OSError:
            return None
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


def size(item: bytes) -> int:
    """Bytes of a picture, about; 0 where that cannot be told."""
    ticket = item.partition(TICKET)[2]
    if ticket:
        return tars.size_of(ticket)
    return (state(item) or (0, 0))[0]


def holder(item: bytes) -> bytes:
    """The path of the file that holds a picture: itself, or its tar."""
    path, sign, ticket = item.partition(TICKET)
    return path[: tars.length_of(ticket)] if sign else path
