"""The one place where the bytes of a picture come from: a file, a member of a tar, an object in a store.

What is read is an item: a path as the file system has it, or an address. Whoever has listed a tar or a store puts a
zero byte and a ticket behind it, so that no worker has to look for it again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from workflow.cluster.parts import TICKET
from workflow.data.sources import objects, tars
from workflow.data.sources.files import State, read_stable
from workflow.paths import is_address


class Holder(Protocol):
    """What holds pictures that are no files: `tars`, `objects`."""

    def item_of(self, path: str) -> bytes:
        """The item of a picture that is named, with its ticket; OSError if there is none."""

    def state_of(self, ticket: bytes) -> State:
        """The state that the picture was listed with."""

    def size_of(self, ticket: bytes) -> int:
        """Its bytes."""

    def read_item(self, item: bytes, most: int | None) -> tuple[bytes, State]:
        """As `read`, for an item with a ticket; None is no limit."""


def read(item: bytes, most: int) -> tuple[bytes, State]:
    """The bytes of a picture for a data set or a net, and the state of what holds them.

    Args:
        item: which picture.
        most: bytes; a picture with more is refused.

    Raises:
        PictureError: it is too large for a picture.
        OSError: it cannot be read; ESTALE where it changed while it was being read.
        DataError: P40, the item has no ticket, and the tar that its path names is damaged.
        EnvironmentFault: P42, a store refuses.
    """
    if TICKET in item:
        return _holder(os.fsdecode(item)).read_item(item, most)
    if b"://" not in item or not is_address(os.fsdecode(item)):
        try:
            return read_stable(item, most)
        except NotADirectoryError:
            pass
    return read(_ticketed(os.fsdecode(item)), most)


def reader(items: Sequence[bytes], most: int) -> Callable[[int], tuple[bytes, State]]:
    """`read` for items that are asked for by their places, one after the other: objects are fetched some at a time."""
    together = b"\n".join(items)
    if b"://" in together and any(TICKET in item and is_address(os.fsdecode(item)) for item in items):
        return objects.Ahead(items, most, read).read
    if b"://" in together or TICKET in together:
        return lambda place: read(items[place], most)

    def read_file(place: int) -> tuple[bytes, State]:
        try:
            return read_stable(items[place], most)
        except NotADirectoryError:
            return read(items[place], most)

    return read_file


def whole(path: str | Path) -> bytes:
    """The bytes of one picture that a user or a manifest names.

    Raises:
        OSError: as the operating system says it.
        DataError, EnvironmentFault: as of `read`.
    """
    text = os.fspath(path)
    if not is_address(text):
        try:
            return Path(text).read_bytes()
        except NotADirectoryError:
            pass
    return _holder(text).read_item(_ticketed(text), None)[0]


def exists(path: str | Path) -> bool:
    """Whether there is something of that name that `whole` reads, or a folder.

    Raises:
        DataError, EnvironmentFault: as of `read`.
    """
    return state(os.fsencode(path)) is not None


def state(item: bytes) -> State | None:
    """The state of what holds a picture; None where that cannot be told: whoever reads it says what is wrong.

    Raises:
        DataError, EnvironmentFault: as of `read`.
    """
    if TICKET not in item:
        if b"://" not in item or not is_address(os.fsdecode(item)):
            try:
                status = os.stat(item)  # noqa: PTH116  # 100,000 of them
            except NotADirectoryError:
                pass
            except OSError:
                return None
            else:
                return status.st_size, status.st_mtime_ns
        try:
            item = _ticketed(os.fsdecode(item))
        except OSError:
            return None
    return _holder(os.fsdecode(item)).state_of(item.partition(TICKET)[2])


def size(item: bytes) -> int:
    """Bytes of a picture, about; 0 where that cannot be told."""
    if TICKET in item:
        return _holder(os.fsdecode(item)).size_of(item.partition(TICKET)[2])
    return (state(item) or (0, 0))[0]


def holder(item: bytes) -> bytes | None:
    """The path of the file that holds a picture: itself, or its tar; None for an object."""
    path, sign, ticket = item.partition(TICKET)
    if is_address(os.fsdecode(path)):
        return None
    return path[: tars.length_of(ticket)] if sign else path


def _holder(path: str) -> Holder:
    return objects if is_address(path) else tars


def _ticketed(path: str) -> bytes:
    return _holder(path).item_of(path)
