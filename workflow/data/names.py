"""The names of the files in a folder, packed: some ten bytes each where Python's text takes seventy."""

from __future__ import annotations

import os
import sys
from array import array
from collections.abc import Iterable, Sequence
from typing import overload

_BETWEEN = b"\0"  # no name holds it
CODING = sys.getfilesystemencoding(), sys.getfilesystemencodeerrors()
"""Of os.fsdecode and os.fsencode, which are slower."""


class Names(Sequence[str]):
    """File names in the order in which they are given."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._text = bytearray()  # one after the other
        self._ends = array("Q")  # of each name
        for name in names:
            self.append(name)

    def append(self, name: str) -> None:
        """Add a name."""
        self._text += os.fsencode(name)
        self._text += _BETWEEN
        self._ends.append(len(self._text))

    def __len__(self) -> int:
        return len(self._ends)

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> list[str]: ...

    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        ends = self._ends
        if index < 0:
            index += len(ends)
        stop = ends[index]
        return self._text[ends[index - 1] if index else 0 : stop - 1].decode(*CODING)

    def packed(self) -> bytes:
        """All names as the file system has them, a zero byte after each."""
        return bytes(self._text)


def unpacked(text: bytes) -> list[bytes]:
    """The names that `Names.packed` gave."""
    return text.split(_BETWEEN)[:-1]
