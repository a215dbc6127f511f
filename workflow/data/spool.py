"""The pixels of a table's pictures: of those that were decoded now, and of those that an earlier generation holds."""

from __future__ import annotations

import math
import os
import zlib
from collections.abc import Iterator, Sequence
from typing import BinaryIO, Self

import numpy as np
from numpy.typing import NDArray

from workflow.data.split import SPLITS
from workflow.data.table import Table
from workflow.errors import DatabaseError
from workflow.formats.datum import Raw
from workflow.formats.lmdb import Reader

_OPEN = 400  # files at once: a process may have 1024


class Spool:
    """The pixels of a table's pictures: `with Spool(table, shape) as spool: spool.pixels(index)`."""

    def __init__(self, table: Table, shape: tuple[int, int, int]) -> None:
        self._table, self.shape = table, shape
        self.size = math.prod(shape)
        self._raw = Raw(shape)
        self._open: dict[int, BinaryIO] = {}  # by part, the one that was opened first comes first
        self._readers: dict[int, Reader] = {}  # by part, those below 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._open.values():
            file.close()
        for reader in self._readers.values():
            reader.close()
        self._open.clear()
        self._readers.clear()

    def pixels(self, index: int) -> NDArray[np.uint8]:
        """uint8 (C, H, W) of picture number `index`."""
        pixels: NDArray[np.uint8] = self.some(np.array([index]))[0]
        return pixels

    def some(self, indices: NDArray[np.intp]) -> NDArray[np.uint8]:
        """uint8 (M, C, H, W) of some pictures."""
        pairs = zip(indices.tolist(), self._kept(indices), strict=True)
        data = [self._decoded(index) if kept is None else self._raw.pixels(kept) for index, kept in pairs]
        return np.frombuffer(b"".join(data), np.uint8).reshape(-1, *self.shape)

    def records(self, indices: NDArray[np.intp], labels: Sequence[int]) -> Iterator[tuple[bytes, int]]:
        """The records of some pictures under their labels, and the CRC-32 of each.

        Raises:
            DatabaseError: L04, a record of the earlier generation is not what was written there.
        """
        crcs = self._table.crcs[indices].tolist()
        encode, relabelled, crc32 = self._raw.encode, self._raw.relabelled, zlib.crc32
        for index, label, kept, crc in zip(indices.tolist(), labels, self._kept(indices), crcs, strict=True):
            if kept is None:
                value = encode(self._decoded(index), label)
            elif crc32(kept) != crc:
                raise self._damaged(index)
            elif (value := relabelled(kept, label)) is kept:
                yield value, crc
                continue
            yield value, crc32(value)

    def _damaged(self, index: int) -> DatabaseError:
        where = f"generation {self._table.earlier.number}" if self._table.earlier else "the last generation"
        return DatabaseError(
            f"{where} holds another picture than it recorded for {self._table.recorded(index)}",
            hint="the disk or a program has damaged it; wf prepare --rehash reads all pictures again",
            fault="L04",
        )

    def remove(self) -> None:
        """Close and delete the files."""
        self.__exit__()
        for path in self._table.results:
            path.unlink()

    def _decoded(self, index: int) -> bytes:
        part = int(self._table.parts[index])
        if (file := self._open.get(part)) is None:
            if len(self._open) == _OPEN:
                self._open.pop(next(iter(self._open))).close()
            file = self._open[part] = self._table.results[part].open("rb", buffering=0)
        return os.pread(file.fileno(), self.size, int(self._table.rows[index]) * self.size)

    def _kept(self, indices: NDArray[np.intp]) -> list[bytes | None]:
        """The records of the earlier generation; None for pictures that were decoded now."""
        values: list[bytes | None] = [None] * len(indices)
        parts = self._table.parts[indices]
        earlier = self._table.earlier
        if earlier is None:
            return values
        for part in set(parts[parts < 0].tolist()):
            if (reader := self._readers.get(part)) is None:
                folder = earlier.database(SPLITS[-1 - part])
                reader = self._readers[part] = Reader(folder, trusted=True)  # it is as it was written
            places = np.flatnonzero(parts == part)
            kept = reader.numbered(self._table.rows[indices[places]].tolist())
            for place, value in zip(places.tolist(), kept, strict=True):
                values[place] = value
        return values
