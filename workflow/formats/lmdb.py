"""Databases of records in LMDB 0.9's format, which real Caffe reads; written durably, verified before opening."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import lmdb

from workflow.errors import DatabaseError
from workflow.formats.lmdb_header import HINT, operating_system_says, require_0_9
from workflow.formats.lmdb_pages import missing_at_end

COMMIT_EVERY = 1000
"""Records in one transaction, as Caffe's tools do it."""
FIRST_MAP_SIZE = 64 * 2**20
"""Address space of a new database; doubled whenever it is full."""
MAX_KEY = 511
MAPPED = 4096
"""Records read before the file is mapped anew: pages that were touched count as this process's memory until then."""


class Writer:
    """Writes a new database: `with Writer(folder) as writer: writer.put(key, value)`.

    Records are committed every 1000, and when the block ends; if it ends with an exception, what was not committed
    is lost and what was stays readable. The folder must not hold a database yet.

    Raises:
        DatabaseError: the folder holds a database; a key is empty, longer than 511 bytes or there twice.
        EnvironmentFault: the disk is full or refuses (P33).
    """

    def __init__(self, folder: Path, *, map_size: int = FIRST_MAP_SIZE) -> None:
        self.folder = Path(folder)
        self.count = 0
        self._pending: list[tuple[bytes, bytes]] = []
        if (self.folder / "data.mdb").exists():
            raise DatabaseError(f"{self.folder} holds a database already", hint="write into a new folder")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            # lib_version: Caffe reads 0.9 alone, and an environment variable could ask for 1.0 (L07).
            # Never writemap, map_async or nosync: a full disk would kill the process or damage the file.
            # No lock file: the folder is new and ours, and on a full disk mapping that file would kill the process.
            self._environment = lmdb.open(
                os.fspath(self.folder),
                map_size=map_size,
                lib_version=0,
                max_dbs=0,
                metasync=True,
                sync=True,
                lock=False,
            )
        except (lmdb.Error, OSError) as error:
            raise operating_system_says(self.folder, error) from error

    def put(self, key: bytes, value: bytes) -> None:
        """Add a record. Readers see records in bytewise order of the keys, whatever the order of writing."""
        if not 0 < len(key) <= MAX_KEY:
            raise DatabaseError(f"a key has 1 to {MAX_KEY} bytes, got {len(key)}", fault="P24")
        self._pending.append((key, value))
        if len(self._pending) >= COMMIT_EVERY:
            self._commit()

    def close(self) -> None:
        """Commit what is pending and close the files."""
        try:
            self._commit()
        finally:
            self._environment.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._pending.clear()
        self.close()

    def _commit(self) -> None:
        """One transaction; when the map is full it is undone, the map doubled, and all of it tried again (L08)."""
        while self._pending:
            try:
                with self._environment.begin(write=True) as transaction:
                    for key, value in self._pending:
                        if not transaction.put(key, value, overwrite=False):
                            raise DatabaseError(f"key {key.decode('utf-8', 'replace')} twice in {self.folder}")
            except lmdb.MapFullError:
                self._environment.set_mapsize(2 * self._environment.info()["map_size"])
            except lmdb.Error as error:
                raise operating_system_says(self.folder, error) from error
            else:
                self.count += len(self._pending)
                self._pending.clear()


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
        self._handle: _Handle | None = None
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

    def records(self, start: int = 0) -> Iterator[tuple[bytes, bytes]]:
        """Keys and values from a position on, endlessly: the first follows the last.

        `start` may be beyond the end; it counts round and round.

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

    def values(self, start: int, count: int) -> list[bytes]:
        """The values of `count` records from position `start` on, with wrap-around: one batch.

        Raises:
            DatabaseError: the database has no record.
        """
        self._require_records()
        keys, get = self.keys, self._transaction(count).get
        return [get(keys[index % len(keys)]) for index in range(start, start + count)]

    def close(self) -> None:
        """Let go of the files; the reader opens them again if it is used again."""
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
            self._handle = _acquire(self.folder)
            self._opened = self._handle.environment.begin()
            self._pid = os.getpid()
        return self._opened

    def _require_records(self) -> None:
        if not len(self):
            raise DatabaseError(f"{self.folder} holds no record", hint=HINT, fault="L02")


def verify(folder: Path) -> None:
    """Make sure that a database is whole before LMDB maps it: a damaged one kills the process without an exception.

    0.3 s for 250 MB; a file that this process has verified and that did not change since is not read again.

    Raises:
        DatabaseError: L01 missing, L02 empty, L03 damaged, L06 of LMDB 1.0.
        EnvironmentFault: the operating system refuses.
    """
    path = Path(folder) / "data.mdb"
    try:
        facts = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise DatabaseError(f"no database in {folder}", hint="wf prepare makes one", fault="L01") from None
    except OSError as error:
        raise operating_system_says(Path(folder), error) from error
    _verify(path, (facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns))


@lru_cache(maxsize=256)
def _verify(path: Path, signature: tuple[int, ...]) -> None:
    """Once for each content: `signature` changes whenever the file does."""
    import lmdb.verify as verifier  # pure Python, never hands the file to LMDB

    if not signature[2]:
        raise DatabaseError(f"{path} is empty (interrupted copy?)", hint=HINT, fault="L02")
    try:
        with path.open("rb") as file:
            require_0_9(path, file.read(32))
        problems = verifier.verify(os.fspath(path))  # type: ignore[no-untyped-call]  # ships no types
        if not problems and (missing := missing_at_end(path)):
            problems = [f"{missing} bytes are missing at its end"]
    except OSError as error:
        raise operating_system_says(path, error) from error
    except (verifier.VerifyError, struct.error, ValueError, IndexError, OverflowError, MemoryError) as error:
        problems = [str(error)]
    if problems:
        count = f"{len(problems)} problem{'s' * (len(problems) > 1)}"
        raise DatabaseError(f"{path} is damaged: {count}, first: {problems[0]}", hint=HINT, fault="L03")


# ---- open files of this process: LMDB must not open one file twice in a process, nor keep it over a fork ------------

_open: dict[str, _Handle] = {}
"""Real path -> what this process, or the parent that it was forked from, has opened."""


class _Handle:
    """An environment opened for reading, and how many readers use it."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.pid = os.getpid()
        # No lock file is needed where nobody writes, and a read-only folder could not hold one (L10).
        self.environment: Any = lmdb.open(folder, readonly=True, create=False, lock=False, max_dbs=0)
        self.users = 0

    def release(self) -> None:
        """One reader less; the last one closes the files."""
        self.users -= 1
        if self.users <= 0 and _open.get(self.folder) is self:
            del _open[self.folder]
            self.environment.close()


def _acquire(folder: Path) -> _Handle:
    """The process's handle for a folder, opened if it is not.

    Raises:
        DatabaseError: LMDB refuses the file.
        EnvironmentFault: the operating system refuses.
    """
    place = os.path.realpath(folder)
    handle = _open.get(place)
    if handle is not None and handle.pid != os.getpid():
        # The parent's: closing it here unmaps this process's copy alone; the parent goes on with its own (L11).
        handle.environment.close()
        handle = None
    if handle is None:
        try:
            handle = _Handle(place)
        except (lmdb.InvalidError, lmdb.VersionMismatchError, lmdb.CorruptedError) as error:
            raise DatabaseError(f"{folder} is no database of LMDB 0.9: {error}", fault="L03") from error
        except (lmdb.Error, OSError) as error:
            raise operating_system_says(folder, error) from error
        _open[place] = handle
    handle.users += 1
    return handle
