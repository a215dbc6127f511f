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
from workflow.inbox.paging import LIMIT, Filters, Page, bounded, item, pair
from workflow.inbox.pictures import SENT

_ANY = Filters()
_OPEN = "queue_item i JOIN picture p ON p.id = i.picture WHERE i.filling = ? AND i.done IS NULL"


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


def page(
    c: sqlite3.Connection, name: str, filters: Filters = _ANY, *, after: str | None = None, limit: int = LIMIT
) -> Page:
    """The open items of a queue that match, behind a cursor.

    Raises:
        NotFound: no such queue.
        UsageError: the cursor is none, or the limit is not in 1..100.
    """
    filling, left = _filling(c, name)
    conditions, values = _matching(filters)
    if values:
        counted = f"SELECT count(*) FROM {_OPEN}{conditions}"
        ((left,),) = c.execute(counted, (filling, *values))
    place, picture = pair(after)
    rows = c.execute(
        "SELECT i.place, i.picture, p.sha256, i.suggestion, p.class, s.kind, coalesce(s.seq, 0), i.reason, "
        "i.probability, t.name, p.split, p.generation "
        "FROM queue_item i JOIN picture p ON p.id = i.picture LEFT JOIN state s ON s.picture = p.id "
        "LEFT JOIN token t ON t.id = p.sender "
        f"WHERE i.filling = ? AND i.done IS NULL{conditions} AND (i.place, i.picture) > (?, ?) "
        "ORDER BY i.place, i.picture LIMIT ?",
        (filling, *values, place, picture, bounded(limit) + 1),
    ).fetchall()
    last = rows[limit - 1] if len(rows) > limit else None
    return Page(
        items=tuple(item(*row[2:]) for row in rows[:limit]),
        next=None if last is None else f"{last[0]}.{last[1]}",
        total=left,
    )


def anchors(c: sqlite3.Connection, name: str, step: int, filters: Filters = _ANY) -> list[str]:
    """The cursor behind every `step`-th open item of a queue that matches, so that a page can jump anywhere.

    Raises:
        NotFound, UsageError: no such queue; the step is not in 1..100.
    """
    filling, _ = _filling(c, name)
    conditions, values = _matching(filters)
    source = _OPEN if values else "queue_item i WHERE i.filling = ? AND i.done IS NULL"
    query = (
        f"SELECT i.place, i.picture FROM {source}{conditions} AND (i.place, i.picture) > (?, ?) "
        "ORDER BY i.place, i.picture LIMIT 1 OFFSET ?"
    )
    return [f"{place}.{picture}" for place, picture in paging.anchors(c, query, (filling, *values), step, pair(None))]


def _matching(filters: Filters) -> tuple[str, tuple[object, ...]]:
    """The SQL condition and its values. A picture without a class counts as one of the suggested class."""
    chosen = {
        " AND coalesce(p.class, i.suggestion) = ?": filters.class_name,
        " AND p.split = ?": filters.split,
        " AND p.sender = (SELECT id FROM token WHERE name = ?)": filters.sender,
        " AND EXISTS (SELECT 1 FROM member m WHERE m.picture = p.id AND m.generation = ?)": filters.generation,
    }
    some = {condition: value for condition, value in chosen.items() if value is not None}
    return "".join(some), tuple(some.values())


def _filling(c: sqlite3.Connection, name: str) -> tuple[int, int]:
    """The filling that a queue shows, and how many of it are open."""
    row = c.execute(
        "SELECT f.id, f.left FROM queue q JOIN filling f ON f.id = q.filling WHERE q.name = ?", (name,)
    ).fetchone()
    if row is None:
        names = [one.name for one in queues(c)]
        raise NotFound(f"no queue '{name[:80]}'", hint=did_you_mean(name[:80], names))
    return int(row[0]), int(row[1])
