"""Refill a queue.

A job makes a new filling in small transactions, so that labels do not wait for it, and then points the queue to it.
`sent` keeps its only filling, which submissions join, the least probable answer first.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

from workflow.errors import UsageError
from workflow.inbox.pictures import Facts, enter, now
from workflow.inbox.writer import Write

NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
"""The form of a queue's name."""
_CHUNK = 100  # items in a transaction: a few milliseconds, the longest that a label waits


@dataclass(frozen=True, kw_only=True)
class Item:
    """A picture that joins a queue."""

    facts: Facts
    path: str | None = None
    """Where its bytes are, relative to the project folder; None for pictures that a generation holds."""
    suggestion: str | None = None
    """The class that is proposed."""
    probability: float | None = None
    reason: str | None = None


def fill(write: Write, name: str, title: str, items: Iterable[Item]) -> int:
    """Refill a queue; pictures that are already decided are left out.

    Args:
        write: see `writer.Write`.
        name: of the queue.
        title: for people.
        items: the most urgent first.

    Returns:
        How many pictures are in it.

    Raises:
        UsageError: the name cannot be one, or is `sent`.
    """
    if not NAME.fullmatch(name) or name == "sent":
        raise UsageError(f"a queue cannot be called {name[:80]!r}: lower-case letters, digits and _ . - (not 'sent')")
    filling: int = write(lambda c: _begin(c, name))
    remaining = iter(items)
    rank = 0
    while chunk := list(islice(remaining, _CHUNK)):
        write(partial(_add, filling=filling, items=chunk, first=rank))
        rank += len(chunk)
    before, left = write(lambda c: _show(c, name, title, filling))
    while before is not None and write(partial(_drop, filling=before)):
        pass
    return int(left)


def _begin(c: sqlite3.Connection, name: str) -> int:
    return int(c.execute("INSERT INTO filling (queue, at) VALUES (?, ?)", (name, now())).lastrowid or 0)


def _add(c: sqlite3.Connection, *, filling: int, items: Sequence[Item], first: int) -> None:
    for rank, one in enumerate(items, start=first):
        picture, _ = enter(c, one.facts, origin="folder" if one.path else "generation", path=one.path)
        c.execute(
            "INSERT INTO queue_item (filling, picture, rank, place, suggestion, probability, reason) "
            "SELECT ?, ?, ?, ?, ?, ?, ? WHERE NOT EXISTS "
            "(SELECT 1 FROM state WHERE picture = ? AND kind IN ('label', 'keep', 'remove')) ON CONFLICT DO NOTHING",
            (filling, picture, rank, rank, one.suggestion, one.probability, one.reason, picture),
        )


def _show(c: sqlite3.Connection, name: str, title: str, filling: int) -> tuple[int | None, int]:
    """Point the queue to a filling; the one that it showed before, and how many items are open."""
    before = c.execute("SELECT filling FROM queue WHERE name = ?", (name,)).fetchone()
    c.execute(
        "INSERT INTO queue (name, title, filling) VALUES (?, ?, ?) "
        "ON CONFLICT (name) DO UPDATE SET title = excluded.title, filling = excluded.filling",
        (name, title, filling),
    )
    (left,) = c.execute("SELECT left FROM filling WHERE id = ?", (filling,)).fetchone()
    return None if before is None else before[0], left


def _drop(c: sqlite3.Connection, *, filling: int) -> int:
    """Remove some items of a filling that is no longer shown, and in the end the filling; how many items."""
    gone = c.execute(
        "DELETE FROM queue_item WHERE (filling, picture) IN "
        "(SELECT filling, picture FROM queue_item WHERE filling = ? LIMIT ?)",
        (filling, _CHUNK),
    ).rowcount
    if not gone:
        c.execute("DELETE FROM filling WHERE id = ?", (filling,))
    return gone
