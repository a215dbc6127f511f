"""The names of the files in a folder, packed: some ten bytes each where Python's text takes seventy."""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterable, Sequence
from typing import overload


class Names(Sequence[str]):
    """File names in the order in which they are given."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._text = bytearray()  # one after the other
        self._ends = array("Q")  # of each name
        for name in names:
            self._text += os.fsencode(name)
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
        place = range(len(self._ends))[index]
        start = self._ends[place - 1] if place else 0
        return os.fsdecode(bytes(self._text[start : self._ends[place]]))
