"""Long lists on disk: pictures, and what a net says of them. Memory holds some hundred entries at a time."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from itertools import pairwise
from tempfile import TemporaryFile
from typing import IO, overload
from weakref import finalize

import numpy as np
from numpy.typing import NDArray

from workflow.cluster.parts import TICKET
from workflow.exams.picture import Skipped

_IN_MEMORY = 2**20  # bytes: a shorter list is never written
_BLOCK = 500  # entries that are read at a time


class _Bytes:
    """Bytes in memory, in a temporary file once they are many; grow at their end only."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._file: IO[bytes] | None = None

    def append(self, data: bytes) -> None:
        """Add bytes."""
        if self._file is None and len(self._held) + len(data) > _IN_MEMORY:
            self._file = TemporaryFile()  # noqa: SIM115  # as long as this object
            finalize(self, self._file.close)
            self._file.write(self._held)
            self._held.clear()
        if self._file is None:
            self._held += data
        else:
            self._file.seek(0, os.SEEK_END)
            self._file.write(data)

    def read(self, start: int, stop: int) -> bytes:
        """From one place to before another."""
        if self._file is None:
            return bytes(self._held[start:stop])
        self._file.seek(start)
        return self._file.read(stop - start)


class Rows:
    """Rows of numbers, all of one length and dtype; grows at its end only."""

    def __init__(self, dtype: type[np.generic]) -> None:
        self._bytes = _Bytes()
        self._dtype = np.dtype(dtype)
        self._width = 0
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def extend(self, rows: NDArray[np.generic]) -> None:
        """Add (N, D) rows."""
        self._width = rows.shape[1]
        self._bytes.append(np.ascontiguousarray(rows, self._dtype).tobytes())
        self._count += len(rows)

    def read(self, start: int, stop: int) -> NDArray[np.generic]:
        """(stop - start, D)."""
        size = self._width * self._dtype.itemsize
        data = self._bytes.read(start * size, stop * size)
        return np.frombuffer(data, self._dtype).reshape(-1, self._width)


class Listing(Sequence[tuple[str, None]]):
    """Pictures without labels, each as its path and None; grows at its end only.

    Threads may look at it at once: one gives out the parts of a pass, another collects their answers.

    Attributes:
        refused: what was found beside them and is never read.
    """

    def __init__(self) -> None:
        self.refused: list[Skipped] = []
        self._items = _Bytes()  # one after the other
        self._size = 0
        self._ends = Rows(np.int64)  # of each path
        self._block: tuple[int, list[tuple[str, None]]] = (-1, [])  # what was read last, for one look after the other
        self._new: list[bytes] = []
        self._lock = threading.Lock()

    def append(self, item: bytes) -> None:
        """Add a picture, see `data.sources.reading`."""
        with self._lock:
            self._new.append(item)
            self._block = (-1, [])
            if len(self._new) == _BLOCK:
                self._write()

    def __len__(self) -> int:
        return len(self._ends) + len(self._new)

    @overload
    def __getitem__(self, index: int) -> tuple[str, None]: ...

    @overload
    def __getitem__(self, index: slice) -> list[tuple[str, None]]: ...

    def __getitem__(self, index: int | slice) -> tuple[str, None] | list[tuple[str, None]]:
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            return self._read(start, max(start, stop)) if step == 1 else [self[one] for one in range(start, stop, step)]
        place = range(len(self))[index]
        number, block = place // _BLOCK, self._block
        if block[0] != number:
            block = self._block = number, self._read(number * _BLOCK, min(len(self), (number + 1) * _BLOCK))
        return block[1][place % _BLOCK]

    def __iter__(self) -> Iterator[tuple[str, None]]:
        for start in range(0, len(self), _BLOCK):
            yield from self._read(start, min(len(self), start + _BLOCK))

    def items(self, start: int, stop: int) -> list[bytes]:
        """What was added, from one place to before another."""
        if start == stop:
            return []
        with self._lock:
            if self._new:
                self._write()
            ends = [0, *self._ends.read(0, stop)[:, 0].tolist()] if start == 0 else self._ends_from(start, stop)
            data = self._items.read(ends[0], ends[-1])
        places = [one - ends[0] for one in ends]
        return [data[a:b] for a, b in pairwise(places)]

    def _write(self) -> None:
        data = b"".join(self._new)
        self._items.append(data)
        self._ends.extend(self._size + np.cumsum([len(one) for one in self._new]).reshape(-1, 1))
        self._size += len(data)
        self._new.clear()

    def _read(self, start: int, stop: int) -> list[tuple[str, None]]:
        return [(os.fsdecode(item.partition(TICKET)[0]), None) for item in self.items(start, stop)]

    def _ends_from(self, start: int, stop: int) -> list[int]:
        ends: list[int] = self._ends.read(start - 1, stop)[:, 0].tolist()
        return ends
