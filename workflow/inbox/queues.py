"""Queues of pictures to decide about.

A queue shows one filling, see `fillings`. An item is open until its picture is decided, wherever that happens; `later`
puts it behind all others.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

from workflow.errors import NotFound, did_you_mean
from workflow.inbox import paging
from workflow.inbox.paging import LIMIT, Page, bounded, item, pair
from workflow.inbox.pictures import SENT


@dataclass(frozen=True, kw_only=True)
class Queue:
    """A queue and how much of it is left."""

    name: str
    title: str
    count: int
    filled: str | None
    """When; None for `sent`, which is filled all the time."""

    def json(self) -> dict[str, Any]:
        """Keys name, title, count, filled."""
        return dict(vars(self))


def queues(c: sqlite3.Connection) -> list[Queue]:
    """Every queue, `sent` first."""
    rows = c.execute(
        "SELECT q.name, q.title, f.left, f.at, f.id FROM queue q JOIN filling f ON f.id = q.filling "
        "ORDER BY f.id <> 1, q.name"
    )
    return [
        Queue(name=name, title=title, count=left, filled=None if number == SENT else at)
        for name, title, left, at, number in rows
    ]


def page(c: sqlite3.Connection, name: str, *, after: str | None = None, limit: int = LIMIT) -> Page:
    """The open items of a queue behind a cursor.

    Raises:
        NotFound: no such queue.
        UsageError: the cursor is none, or the limit is not in 1..100.
    """
    filling, left = _filling(c, name)
    place, picture = pair(after)
    rows = c.execute(
        "SELECT i.place, i.picture, p.sha256, i.suggestion, p.class, s.kind, coalesce(s.seq, 0), i.reason, "
        "i.probability, t.name, p.split, p.generation "
        "FROM queue_item i JOIN picture p ON p.id = i.picture LEFT JOIN state s ON s.picture = p.id "
        "LEFT JOIN token t ON t.id = p.sender "
        "WHERE i.filling = ? AND i.done IS NULL AND (i.place, i.picture) > (?, ?) "
        "ORDER BY i.place, i.picture LIMIT ?",
        (filling, place, picture, bounded(limit) + 1),
    ).fetchall()
    last = rows[limit - 1] if len(rows) > limit else None
    return Page(
        items=tuple(item(*row[2:]) for row in rows[:limit]),
        next=None if last is None else f"{last[0]}.{last[1]}",
        total=left,
    )


def anchors(c: sqlite3.Connection, name: str, step: int) -> list[str]:
    """The cursor behind every `step`-th open item of a queue, so that a page can jump anywhere.

    Raises:
        NotFound, UsageError: no such queue; the step is not in 1..100.
    """
    filling, _ = _filling(c, name)
    query = (
        "SELECT place, picture FROM queue_item WHERE filling = ? AND done IS NULL AND (place, picture) > (?, ?) "
        "ORDER BY place, picture LIMIT 1 OFFSET ?"
    )
    return [f"{place}.{picture}" for place, picture in paging.anchors(c, query, (filling,), step, pair(None))]


def _filling(c: sqlite3.Connection, name: str) -> tuple[int, int]:
    """The filling that a queue shows, and how many of it are open."""
    row = c.execute(
        "SELECT f.id, f.left FROM queue q JOIN filling f ON f.id = q.filling WHERE q.name = ?", (name,)
    ).fetchone()
    if row is None:
        names = [one.name for one in queues(c)]
        raise NotFound(f"no queue '{name[:80]}'", hint=did_you_mean(name[:80], names))
    return int(row[0]), int(row[1])
