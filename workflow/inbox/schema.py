"""The tables of inbox.sqlite, how a connection is opened, and what SQLite's errors mean to a user.

    picture      everything that can be labelled: what was sent, what generations hold, files of an unlabelled folder
    member       which generation holds which picture, with its class and split
    submission   who sent a picture, when, and what the net answered
    report       what a sender says that a picture is; no label
    token        who may call: owner, labeller, bot; hashes only
    event        labels and everything else that was decided, append-only: the truth
    state        the decision in force for a picture, derived from the events in the same transaction
    filling      one filling of a queue; `queue` points to the one that is shown
    queue_item   the pictures of a filling

Every table is STRICT. Journal: WAL, synchronous FULL, so that what was committed survives a power cut.
"""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from pathlib import Path

from workflow.errors import BusyError, DataError, EnvironmentFault, UsageError
from workflow.formats.file_system import network_file_system
from workflow.storage import sync_folder

_log = logging.getLogger("workflow")

BUSY_SECONDS = 8.0
"""How long a connection waits while another process writes."""

_APPLICATION = 0x77660001  # of the file, so that another database is not taken for an inbox

_SETTINGS = ("synchronous = FULL", "foreign_keys = ON", "temp_store = MEMORY", "secure_delete = ON")
_FAULTS = frozenset(
    {
        *(sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM),
        *(sqlite3.SQLITE_FULL, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_PROTOCOL),
        *(sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB),
    }
)
_MIGRATIONS = ("tables.sql", "taken_patch.sql")
"""Scripts beside this module: number N brings a file from format N - 1 to N."""


def connect(path: Path, *, pages: int = 256) -> sqlite3.Connection:
    """Open a connection in autocommit mode; it may pass from thread to thread, one at a time.

    Args:
        path: inbox.sqlite.
        pages: of 4 KiB that it may keep in memory.

    Raises:
        sqlite3.Error: see `translated`.
    """
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        for pragma in (*_SETTINGS, f"cache_size = {pages}"):
            connection.execute(f"PRAGMA {pragma}")
    except BaseException:
        connection.close()
        raise
    return connection


def migrate(path: Path) -> None:
    """Make the tables, or bring those of an older wf up to date; whole or not at all.

    One process at a time: the caller holds a lock. A network file system is reported by a warning.

    Raises:
        DataError: the file is damaged, no inbox, or of a newer wf.
        sqlite3.Error: see `translated`.
    """
    if kind := network_file_system(path):
        _log.warning(
            "%s is on a network file system (%s): only one computer may use it at a time, or labels are lost",
            path,
            kind,
        )
    connection = connect(path)
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        if (version or application) and application != _APPLICATION:
            raise DataError(f"{path} is a database, but no inbox of wf", hint=f"move it away from {path.parent}")
        if version > len(_MIGRATIONS):
            raise DataError(f"{path} was written by a newer version of wf (format {version})", hint="update wf")
        connection.execute("PRAGMA journal_mode = WAL")
        for number, name in enumerate(_MIGRATIONS[version:], start=version + 1):
            script = Path(__file__).with_name(name).read_text(encoding="utf-8")
            connection.executescript(
                f"BEGIN IMMEDIATE; {script} PRAGMA application_id = {_APPLICATION}; PRAGMA user_version = {number}; "
                "COMMIT;"
            )
    finally:
        connection.close()
    sync_folder(path.parent)


def is_fault(error: BaseException) -> bool:
    """Whether an error comes from the disk or the connection, which must then be reopened."""
    return isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", 0) & 0xFF in _FAULTS


def translated(error: BaseException, path: Path) -> BaseException:
    """SQLite's errors as errors of wf's own tree; other errors as they are."""
    if isinstance(error, OverflowError):
        return UsageError("a number is too large: expected at most 63 bits")
    if isinstance(error, UnicodeEncodeError):
        return UsageError("a text holds half of a character (a lone surrogate)")
    if not isinstance(error, sqlite3.Error):
        return error
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL):
        return BusyError(f"another process has been writing to {path} for {BUSY_SECONDS:.0f} s", hint="try again")
    if code == sqlite3.SQLITE_FULL:
        return EnvironmentFault(f"{path}: disk full; nothing of it was saved", hint="free some space")
    if code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
        return EnvironmentFault(f"{path}: {error}")
    if code == sqlite3.SQLITE_NOMEM:
        return EnvironmentFault("not enough memory")
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        if _sound(path):
            return EnvironmentFault(f"{path} could not be read: {error}", hint="try again; the disk may be failing")
        return DataError(
            f"{path} is damaged: {error}",
            hint=f"restore it from a backup; sqlite3 {path} .recover saves what can be read",
        )
    return error


def _sound(path: Path) -> bool:
    """Whether a database is whole; SQLite also says no where the disk cannot be read."""
    try:
        with closing(connect(path)) as connection:
            return bool(connection.execute("PRAGMA quick_check(1)").fetchone() == ("ok",))
    except sqlite3.Error:
        return False
