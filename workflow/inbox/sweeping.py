"""Remove what an interrupted process left."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workflow.inbox import files
from workflow.paths import located

if TYPE_CHECKING:
    from workflow.inbox.inbox import Inbox

Superfluous = Callable[[sqlite3.Connection, Path], bool]
_CHUNK = 100  # files in a transaction, which blocks all other writers
_UNFINISHED = timedelta(days=1)  # after which a filling that no queue shows was left by a killed process


@dataclass(kw_only=True)
class Swept:
    """What a sweep removed, and what it found missing."""

    files: int = 0
    """Files without a row, left by a process that ended in between."""
    links: int = 0
    thumbnails: int = 0
    temporary: int = 0
    items: int = 0
    """Items of queues whose filling was never finished."""
    missing: int = 0
    """Pictures whose file is gone; nothing was done about them."""

    def json(self) -> dict[str, Any]:
        """As `wf inbox sweep --json` gives it."""
        return dict(vars(self))


def sweep(inbox: Inbox) -> Swept:
    """Remove files without a row, and fillings that were never finished.

    Each is removed within a transaction that has looked for its row, so that nothing that arrives just then is lost.
    """
    found = Swept(temporary=files.remove_leftovers(inbox.folder))
    found.files = _remove(inbox, files.kept(inbox.folder), _orphan)
    found.links = _remove(inbox, files.links(inbox.folder), _stray)
    found.thumbnails = _remove(inbox, _thumbnails(inbox), _unknown)
    since = (datetime.now(UTC) - _UNFINISHED).isoformat()
    while gone := inbox.write(lambda c: _unfinished(c, since)):
        found.items += gone
    found.missing = inbox.read(lambda c: _missing(c, inbox))
    return found


def _remove(inbox: Inbox, found: Iterable[Path], superfluous: Superfluous) -> int:
    """Remove the files that are superfluous; how many.

    Most are not, and reading shows that. The others are checked again within a transaction that writes.
    """
    count = 0
    remaining = iter(found)
    while chunk := list(islice(remaining, _CHUNK)):
        doubtful = inbox.read(partial(_chosen, chunk=chunk, superfluous=superfluous))
        if doubtful:
            count += inbox.write(partial(_unlinked, chunk=doubtful, superfluous=superfluous))
    return count


def _chosen(c: sqlite3.Connection, *, chunk: Sequence[Path], superfluous: Superfluous) -> list[Path]:
    return [path for path in chunk if superfluous(c, path)]


def _unlinked(c: sqlite3.Connection, *, chunk: Sequence[Path], superfluous: Superfluous) -> int:
    gone = _chosen(c, chunk=chunk, superfluous=superfluous)
    for path in gone:
        path.unlink(missing_ok=True)
        files.drop_if_empty(path.parent)
    return len(gone)


def remove_orphan(c: sqlite3.Connection, path: Path) -> None:
    """Remove a file in inbox/files, within a transaction that writes, if it has no row."""
    _unlinked(c, chunk=[path], superfluous=_orphan)


def _row(c: sqlite3.Connection, path: Path) -> tuple[str, str | None, int | None] | None:
    """Origin, class of the link, and whether a take-over is due, of the picture that a file is named after."""
    row: tuple[str, str | None, int | None] | None = c.execute(
        "SELECT p.origin, s.link, s.pending FROM picture p LEFT JOIN state s ON s.picture = p.id WHERE p.sha256 = ?",
        (path.name[:64],),
    ).fetchone()
    return row


def _orphan(c: sqlite3.Connection, path: Path) -> bool:
    """Whether a file in files/ has no row."""
    row = _row(c, path)
    return row is None or row[0] != "sent"


def _stray(c: sqlite3.Connection, path: Path) -> bool:
    """Whether a link is of a picture that was forgotten, or the second one that an interrupted move left."""
    row = _row(c, path)
    if row is None:
        return True
    _, class_name, due = row
    moved = class_name is not None and class_name != path.parent.name
    return moved and not due and (path.parents[1] / (class_name or "") / path.name).exists()


def _unknown(c: sqlite3.Connection, path: Path) -> bool:
    """Whether a thumbnail is of no picture."""
    return _row(c, path) is None


def _thumbnails(inbox: Inbox) -> Iterator[Path]:
    for folder in (inbox.folder / "thumbs").glob("*/"):
        yield from folder.iterdir()


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
