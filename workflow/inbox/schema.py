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

import sqlite3
from pathlib import Path

from workflow.errors import BusyError, DataError, EnvironmentFault, UsageError

BUSY_SECONDS = 8.0
"""How long a connection waits while another process writes."""

_APPLICATION = 0x77660001  # of the file, so that another database is not taken for an inbox

_MIGRATIONS = (
    """
    CREATE TABLE token (
      id INTEGER PRIMARY KEY,
      name TEXT NOT NULL UNIQUE,
      role TEXT NOT NULL CHECK (role IN ('owner', 'labeller', 'bot')),
      hash TEXT UNIQUE,
      created TEXT NOT NULL,
      revoked TEXT
    ) STRICT;

    CREATE TABLE picture (
      id INTEGER PRIMARY KEY,
      sha256 TEXT NOT NULL UNIQUE CHECK (length(sha256) = 64),
      bytes INTEGER,
      format TEXT,
      width INTEGER,
      height INTEGER,
      origin TEXT NOT NULL CHECK (origin IN ('sent', 'generation', 'folder')),
      path TEXT,
      sender INTEGER REFERENCES token (id),
      received TEXT,
      generation INTEGER,
      split TEXT,
      known TEXT,
      class TEXT
    ) STRICT;
    CREATE INDEX picture_class ON picture (class);
    CREATE INDEX picture_split ON picture (split);
    CREATE INDEX picture_sender ON picture (sender) WHERE sender IS NOT NULL;

    CREATE TABLE generation (
      number INTEGER PRIMARY KEY,
      created TEXT NOT NULL
    ) STRICT;
    CREATE TABLE member (
      generation INTEGER NOT NULL REFERENCES generation (number) ON DELETE CASCADE,
      picture INTEGER NOT NULL REFERENCES picture (id) ON DELETE CASCADE,
      class TEXT NOT NULL,
      split TEXT NOT NULL,
      path TEXT NOT NULL,
      PRIMARY KEY (generation, picture)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX member_picture ON member (picture);

    CREATE TABLE submission (
      id INTEGER PRIMARY KEY,
      picture INTEGER NOT NULL REFERENCES picture (id),
      token INTEGER NOT NULL REFERENCES token (id),
      ref TEXT,
      at TEXT NOT NULL,
      snapshot TEXT,
      probabilities TEXT
    ) STRICT;
    CREATE INDEX submission_picture ON submission (picture);
    CREATE INDEX submission_token ON submission (token, ref);

    CREATE TABLE report (
      id INTEGER PRIMARY KEY,
      picture INTEGER NOT NULL REFERENCES picture (id),
      token INTEGER NOT NULL REFERENCES token (id),
      class TEXT,
      note TEXT CHECK (length(note) <= 500),
      at TEXT NOT NULL
    ) STRICT;
    CREATE INDEX report_picture ON report (picture);
    CREATE INDEX report_token ON report (token);

    CREATE TABLE event (
      seq INTEGER PRIMARY KEY AUTOINCREMENT,
      key TEXT NOT NULL UNIQUE,
      picture INTEGER NOT NULL REFERENCES picture (id),
      token INTEGER NOT NULL REFERENCES token (id),
      kind TEXT NOT NULL CHECK (kind IN ('label', 'keep', 'remove', 'later', 'undo')),
      class TEXT,
      was TEXT,
      queue TEXT,
      at TEXT NOT NULL,
      undoes INTEGER UNIQUE REFERENCES event (seq)
    ) STRICT;
    CREATE INDEX event_picture ON event (picture, seq);
    CREATE INDEX event_token ON event (token);

    CREATE TABLE state (
      picture INTEGER PRIMARY KEY REFERENCES picture (id),
      kind TEXT CHECK (kind IN ('label', 'keep', 'remove', 'later')),
      class TEXT,
      seq INTEGER NOT NULL,
      token INTEGER NOT NULL REFERENCES token (id),
      pending INTEGER NOT NULL CHECK (pending IN (0, 1)),
      base TEXT,
      taken INTEGER,
      taken_base TEXT,
      taken_generation INTEGER,
      link TEXT,
      told TEXT
    ) STRICT;
    CREATE INDEX state_pending ON state (picture) WHERE pending = 1;
    CREATE INDEX state_link ON state (link) WHERE link IS NOT NULL;

    CREATE TABLE filling (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      queue TEXT NOT NULL,
      at TEXT NOT NULL,
      left INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE TABLE queue (
      name TEXT PRIMARY KEY,
      title TEXT NOT NULL,
      filling INTEGER NOT NULL REFERENCES filling (id)
    ) STRICT;
    CREATE TABLE queue_item (
      filling INTEGER NOT NULL REFERENCES filling (id),
      picture INTEGER NOT NULL REFERENCES picture (id) ON DELETE CASCADE,
      rank INTEGER NOT NULL,
      place INTEGER NOT NULL,
      suggestion TEXT,
      probability REAL,
      reason TEXT,
      done INTEGER,
      PRIMARY KEY (filling, picture)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX queue_item_open ON queue_item (filling, place, picture) WHERE done IS NULL;
    CREATE INDEX queue_item_picture ON queue_item (picture);

    CREATE TRIGGER queue_item_added AFTER INSERT ON queue_item WHEN NEW.done IS NULL
    BEGIN UPDATE filling SET left = left + 1 WHERE id = NEW.filling; END;
    CREATE TRIGGER queue_item_gone AFTER DELETE ON queue_item WHEN OLD.done IS NULL
    BEGIN UPDATE filling SET left = left - 1 WHERE id = OLD.filling; END;
    CREATE TRIGGER queue_item_done AFTER UPDATE OF done ON queue_item WHEN OLD.done IS NULL AND NEW.done IS NOT NULL
    BEGIN UPDATE filling SET left = left - 1 WHERE id = NEW.filling; END;
    CREATE TRIGGER queue_item_again AFTER UPDATE OF done ON queue_item WHEN OLD.done IS NOT NULL AND NEW.done IS NULL
    BEGIN UPDATE filling SET left = left + 1 WHERE id = NEW.filling; END;

    INSERT INTO token (id, name, role, hash, created)
      VALUES (1, 'owner', 'owner', NULL, strftime('%Y-%m-%dT%H:%M:%SZ', 'now'));
    INSERT INTO filling (id, queue, at) VALUES (1, 'sent', strftime('%Y-%m-%dT%H:%M:%SZ', 'now'));
    INSERT INTO queue (name, title, filling) VALUES ('sent', 'Sent, without a label', 1);
    """,
)


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
        for pragma in ("synchronous = FULL", "foreign_keys = ON", "temp_store = MEMORY", f"cache_size = {pages}"):
            connection.execute(f"PRAGMA {pragma}")
    except BaseException:
        connection.close()
        raise
    return connection


def migrate(path: Path) -> None:
    """Make the tables, or bring those of an older wf up to date; whole or not at all.

    One process at a time: the caller holds a lock.

    Raises:
        DataError: the file is damaged, no inbox, or of a newer wf.
        sqlite3.Error: see `translated`.
    """
    connection = connect(path)
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        if (version or application) and application != _APPLICATION:
            raise DataError(f"{path} is a database, but no inbox of wf", hint=f"move it away from {path.parent}")
        if version > len(_MIGRATIONS):
            raise DataError(f"{path} was written by a newer version of wf (format {version})", hint="update wf")
        connection.execute("PRAGMA journal_mode = WAL")
        for number, script in enumerate(_MIGRATIONS[version:], start=version + 1):
            connection.executescript(
                f"BEGIN IMMEDIATE; {script} PRAGMA application_id = {_APPLICATION}; PRAGMA user_version = {number}; "
                "COMMIT;"
            )
    finally:
        connection.close()


def translated(error: BaseException, path: Path) -> BaseException:
    """What SQLite refused, as an error of wf's own tree; other errors as they are."""
    if isinstance(error, OverflowError):
        return UsageError("a number is too large: expected at most 63 bits")
    if not isinstance(error, sqlite3.Error):
        return error
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return BusyError(f"another process has been writing to {path} for {BUSY_SECONDS:.0f} s", hint="try again")
    if code == sqlite3.SQLITE_FULL:
        return EnvironmentFault(f"{path}: disk full; nothing of it was saved", hint="free some space")
    if code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
        return EnvironmentFault(f"{path}: {error}")
    if code == sqlite3.SQLITE_NOMEM:
        return EnvironmentFault("not enough memory")
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return DataError(
            f"{path} is damaged: {error}",
            hint=f"restore it from a backup; sqlite3 {path} .recover saves what can be read",
        )
    return error
