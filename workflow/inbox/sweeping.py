"""Remove what an interrupted process left."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workflow.inbox import files
from workflow.paths import located

if TYPE_CHECKING:
    from workflow.inbox.inbox import Inbox

_CHUNK = 100  # files in a transaction, which holds up everybody else
_UNFINISHED = timedelta(days=1)  # after which a filling that no queue shows was left by a killed process


@dataclass(kw_only=True)
class Swept:
    """What a sweep removed, and what it found missing."""

    files: int = 0
    """Files without a row, of a process that ended in between."""
    links: int = 0
    thumbnails: int = 0
    temporary: int = 0
    items: int = 0
    """Of queues whose filling was never finished."""
    missing: int = 0
    """Pictures whose file is gone; nothing was done about them."""

    def json(self) -> dict[str, Any]:
        """As `wf inbox sweep --json` gives it."""
        return dict(vars(self))


def sweep(inbox: Inbox) -> Swept:
    """Remove files that no row speaks of, and fillings that were never finished.

    Each is removed within a transaction that has looked for its row, so that nothing which arrives meanwhile is taken.
    """
    found = Swept(temporary=files.remove_leftovers(inbox.folder))
    kept = list(files.kept(inbox.folder))
    for chunk in (kept[start : start + _CHUNK] for start in range(0, len(kept), _CHUNK)):
        found.files += inbox.write(partial(_orphans, chunk=chunk))
    for class_name, sha256, path in list(files.links(inbox.folder)):
        found.links += inbox.write(partial(_stray, inbox=inbox, class_name=class_name, sha256=sha256, path=path))
    for folder in (inbox.folder / "thumbs").glob("*/"):
        for path in folder.iterdir():
            row = inbox.read(partial(_row, sha256=path.name[:64]))
            if row is None:
                path.unlink(missing_ok=True)
                found.thumbnails += 1
    since = (datetime.now(UTC) - _UNFINISHED).isoformat()
    while gone := inbox.write(lambda c: _unfinished(c, since)):
        found.items += gone
    found.missing = inbox.read(lambda c: _missing(c, inbox))
    return found


def _row(c: sqlite3.Connection, sha256: str) -> tuple[str, str | None, int | None] | None:
    """Origin, class of the link, and whether a take-over is due, of a picture."""
    row: tuple[str, str | None, int | None] | None = c.execute(
        "SELECT p.origin, s.link, s.pending FROM picture p LEFT JOIN state s ON s.picture = p.id WHERE p.sha256 = ?",
        (sha256,),
    ).fetchone()
    return row


def _orphans(c: sqlite3.Connection, *, chunk: Sequence[tuple[str, Path]]) -> int:
    """Remove those of some files that no row speaks of; how many."""
    count = 0
    for sha256, path in chunk:
        row = _row(c, sha256)
        if row is None or row[0] != "sent":
            path.unlink(missing_ok=True)
            files.drop_if_empty(path.parent)
            count += 1
    return count


def _stray(c: sqlite3.Connection, *, inbox: Inbox, class_name: str, sha256: str, path: Path) -> bool:
    """Remove a link of a picture that was forgotten, or the second one that an interrupted move left."""
    row = _row(c, sha256)
    if row is not None:
        twin = row[1] is not None and row[1] != class_name and (path.parents[1] / row[1] / path.name).exists()
        if row[2] or not twin:
            return False
    return files.unlink(inbox.folder, class_name, path.name)


def _unfinished(c: sqlite3.Connection, since: str) -> int:
    c.execute(
        "DELETE FROM filling WHERE at < ? AND id NOT IN (SELECT filling FROM queue) "
        "AND NOT EXISTS (SELECT 1 FROM queue_item WHERE filling = filling.id)",
        (since,),
    )
    return c.execute(
        "DELETE FROM queue_item WHERE (filling, picture) IN (SELECT i.filling, i.picture FROM queue_item i "
        "JOIN filling f ON f.id = i.filling WHERE f.at < ? AND f.id NOT IN (SELECT filling FROM queue) LIMIT 1000)",
        (since,),
    ).rowcount


def _missing(c: sqlite3.Connection, inbox: Inbox) -> int:
    rows = c.execute("SELECT path FROM picture WHERE origin = 'sent' AND path IS NOT NULL")
    return sum(not Path(located(path, inbox.config.project)).is_file() for (path,) in rows)
