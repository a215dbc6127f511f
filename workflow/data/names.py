"""The names of the files in a folder, packed: some twenty bytes each where Python's text takes seventy."""

from __future__ import annotations

import os
import sys
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import overload

import numpy as np

from workflow.data.mapped import mapped

_BETWEEN = b"\0"  # no name holds it
CODING = sys.getfilesystemencoding(), sys.getfilesystemencodeerrors()
"""Of os.fsdecode and os.fsencode, which are slower."""


class Packed(Sequence[str]):
    """File names in an order.

    Args:
        text: one after the other, a zero byte after each.
        ends: of each name in the text, that byte included.
    """

    def __init__(self, text: bytearray | memoryview, ends: array[int] | memoryview) -> None:
        self.text, self.ends = text, ends

    def __len__(self) -> int:
        return len(self.ends)

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> list[str]: ...

    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        ends = self.ends
        if index < 0:
            index += len(ends)
        stop = ends[index]
        return str(self.text[ends[index - 1] if index else 0 : stop - 1], *CODING)

    def unpacked(self) -> list[bytes]:
        """All names as the file system has them."""
        return unpacked(bytes(self.text))


class Names(Packed):
    """Names that are given one by one, before they are on disk."""

    text: bytearray
    ends: array[int]

    def __init__(self, names: Iterable[str] = ()) -> None:
        super().__init__(bytearray(), array("Q"))
        for name in names:
            self.append(name)

    def append(self, name: str) -> None:
        """Add a name."""
        self.text += os.fsencode(name)
        self.text += _BETWEEN
        self.ends.append(len(self.text))


@contextmanager
def held_on_disk(lists: Sequence[Packed], folder: Path) -> Iterator[None]:
    """Hold names in files of a folder that have no name there, instead of in memory; after the block they are gone.

    Raises:
        OSError: the disk is full.
    """
    counts, sizes = [len(names.ends) for names in lists], [len(names.text) for names in lists]
    if sum(counts):
        ends = mapped(folder, np.dtype(np.uint64), (sum(counts),)).data.cast("B").cast("Q")
        text = mapped(folder, np.dtype(np.uint8), (sum(sizes),)).data
        for names, count, size in zip(lists, counts, sizes, strict=True):
            text[:size], ends[:count] = names.text, names.ends
            names.text, names.ends = text[:size], ends[:count]
            text, ends = text[size:], ends[count:]
    try:
        yield
    finally:
        for names in lists:
            names.text, names.ends = bytearray(), array("Q")


def unpacked(text: bytes) -> list[bytes]:
    """The names of a text as `Packed` has it."""
    return text.split(_BETWEEN)[:-1]
