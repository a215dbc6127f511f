"""Read a database by position, in the order of Caffe's Data layer."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Self

from workflow.errors import DatabaseError
from workflow.formats.lmdb.environments import Handle, acquire
from workflow.formats.lmdb.verification import verify
from workflow.formats.mending import make_again

MAPPED = 4096
"""Records read before the file is mapped again: pages that were touched count as this process's memory until then."""

_AROUND = 16  # pages that the kernel maps around one that is touched


class Reader:
    """Reads a database by position, in bytewise order of the keys, as Caffe's Data layer does.

    Verified once, when the reader is made; opened when the first record is asked for, and again in a process that
    was forked since (L11). Needs no right to write (L10). Several readers of one folder share its files; one reader
    serves one thread at a time.

    Args:
        folder: with data.mdb in it.
        trusted: skip the verification, for what this very process has just written.

    Raises:
        DatabaseError: L01 missing, L02 empty, L03 damaged, L06 of LMDB 1.0.
        EnvironmentFault: the operating system refuses.
    """

    def __init__(self, folder: Path, trusted: bool = False) -> None:
        self.folder = Path(folder)
        if not trusted:
            verify(self.folder)
        self._pid = 0  # of the process that the next two belong to
        self._handle: Handle | None = None
        self._opened: Any = None  # the one read transaction
        self._keys: list[bytes] | None = None
        self._length: int | None = None
        self._mapped = 0  # records read since the file was mapped

    def __len__(self) -> int:
        if self._length is None:
            self._length = int(self._transaction().stat()["entries"])
        return self._length

    @property
    def keys(self) -> list[bytes]:
        """Every key, in bytewise order; collected when first asked for (10 ms for 50,000)."""
        if self._keys is None:
            keys: list[bytes] = []
            while len(keys) < len(self):
                with self._transaction(MAPPED).cursor() as cursor:
                    if keys:
                        cursor.set_key(keys[-1])
                        cursor.next()
                    keys.extend(islice(cursor.iternext(keys=True, values=False), MAPPED))
            self._keys = keys
        return self._keys

    def read(self, position: int) -> tuple[bytes, bytes]:
        """Key and value of the record at a position, 0 .. len-1.

        Raises:
            IndexError: beyond the end.
        """
        if not 0 <= position < len(self):
            raise IndexError(f"record {position} of {len(self)}")
        key = self.keys[position]
        return key, self._transaction(1).get(key)

    def numbered(self, numbers: Sequence[int]) -> list[bytes]:
        """Values of keys that begin with a number, as those of `wf prepare` and convert_imageset do: `%08d_`.

        It needs no list of keys, which takes a hundred bytes a record. Records follow each other as numbers do.

        Raises:
            IndexError: there are no such records.
        """
        values: list[bytes] = []
        runs = list(_runs(numbers))
        with self._transaction(len(numbers) + _AROUND * len(runs)).cursor() as cursor:
            for first, count in runs:
                begin = b"%08d_" % first
                if not (cursor.set_range(begin) and cursor.key().startswith(begin)):
                    raise IndexError(f"no record {first} in {self.folder}")
                values += islice(cursor.iternext(keys=False), count)
        if len(values) != len(numbers):
            raise IndexError(f"{self.folder} ends before record {max(numbers)}")
        return values

    def records(self, start: int = 0) -> Iterator[tuple[bytes, bytes]]:
        """Keys and values from a position on, endlessly: the first follows the last.

        `start` may be beyond the end: it wraps around.

        Raises:
            DatabaseError: the database has no record.
        """
        self._require_records()
        keys = self.keys
        position = start % len(keys)
        while True:
            for index in range(position, len(keys)):
                yield keys[index], self._transaction(1).get(keys[index])
            position = 0

    def values(self, start: int, count: int, *, every: int = 1) -> list[bytes]:
        """The values of `count` records from position `start` on, or of each `every`-th, with wrap-around: one batch.

        Raises:
            DatabaseError: the database has no record.
        """
        self._require_records()
        keys, get = self.keys, self._transaction(count).get
        return [get(keys[index % len(keys)]) for index in range(start, start + count * every, every)]

    def close(self) -> None:
        """Close the files; the reader opens them again if it is used again."""
        if self._handle is not None and self._pid == os.getpid():
            self._opened.abort()
            self._handle.release()
        self._handle = self._opened = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __getstate__(self) -> dict[str, Any]:
        """Another process gets the place, not the open files."""
        return {**self.__dict__, "_handle": None, "_opened": None, "_pid": 0}

    def _transaction(self, records: int = 0) -> Any:
        """The read transaction, for reading so many records with it."""
        self._mapped += records
        if self._mapped > MAPPED:
            self.close()
            self._mapped = records
        if self._handle is None or self._pid != os.getpid():
            self._handle = acquire(self.folder)
            self._opened = self._handle.environment.begin()
            self._pid = os.getpid()
        return self._opened

    def _require_records(self) -> None:
        if not len(self):
            raise DatabaseError(f"{self.folder} holds no record", hint=make_again(self.folder), fault="L02")


def _runs(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Where numbers follow each other: the first one, and how many."""
    start = 0
    for place in range(1, len(numbers) + 1):
        if place == len(numbers) or numbers[place] != numbers[place - 1] + 1:
            yield numbers[start], place - start
            start = place
