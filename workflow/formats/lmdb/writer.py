"""Write a database durably, in transactions of a thousand records."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Self

import lmdb

from workflow.errors import DatabaseError
from workflow.formats.lmdb.header import operating_system_says

COMMIT_EVERY = 1000
"""Records in one transaction, as Caffe's tools do it."""
COMMIT_BYTES = 32 * 2**20
"""And no more than this in one transaction, which is held in memory until it is committed."""
FIRST_MAP_SIZE = 64 * 2**20
"""Address space of a new database; doubled whenever it is full."""
MAX_KEY = 511
VERSION: str = lmdb.__version__
"""Of the package."""


class Writer:
    """Writes a new database: `with Writer(folder) as writer: writer.put(key, value)`.

    Records are committed every 1000 or every 32 MiB, and when the block ends; if it ends with an exception, what was
    not committed is lost and what was stays readable. The folder must not hold a database yet.

    Raises:
        DatabaseError: the folder holds a database; a key is empty, longer than 511 bytes or there twice.
        EnvironmentFault: the disk is full or refuses (P33).
    """

    def __init__(self, folder: Path, *, map_size: int = FIRST_MAP_SIZE) -> None:
        self.folder = Path(folder)
        self.count = 0
        self._pending: list[tuple[bytes, bytes]] = []
        self._bytes = 0
        if (self.folder / "data.mdb").exists():
            raise DatabaseError(f"{self.folder} already contains a database", hint="write into a new folder")
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
        """Add a record. Readers see records in bytewise order of the keys."""
        if not 0 < len(key) <= MAX_KEY:
            raise DatabaseError(f"a key has 1 to {MAX_KEY} bytes, got {len(key)}", fault="P24")
        self._pending.append((key, value))
        self._bytes += len(value)
        if len(self._pending) >= COMMIT_EVERY or self._bytes >= COMMIT_BYTES:
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
                self._bytes = 0
