"""Queues of pictures to decide about, and the gallery of all pictures; both in pages by keyset.

A queue shows one filling: a job makes a new one, in small transactions that hold up nobody's label, and then lets the
queue point to it. `sent` has one filling for ever, which submissions join, the least probable answer first. An item is
open until its picture is decided, wherever that happens; `later` puts it behind all others.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

from workflow.errors import NotFound, UsageError, did_you_mean
from workflow.inbox.pictures import SENT, Facts, enter, now
from workflow.inbox.writer import Write

LIMIT = 100
"""The longest page."""
NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
"""What the name of a queue looks like."""

_CURSOR = re.compile(r"-?\d{1,18}(?:\.\d{1,18})?")
_CHUNK = 1000  # items in a transaction: about 10 ms


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


@dataclass(frozen=True, kw_only=True)
class Page:
    """Some pictures, and where the following ones begin."""

    items: tuple[dict[str, Any], ...]
    """Keys sha256, suggested, class, state, seq, reason, probability, sender, split, generation."""
    next: str | None
    """Cursor of the next page; None at the end."""
    total: int
    """Open pictures of the queue, or pictures that match the gallery's filters."""


@dataclass(frozen=True, kw_only=True)
class Filters:
    """Which pictures the gallery shows; None is any."""

    class_name: str | None = None
    split: str | None = None
    sender: str | None = None
    generation: int | None = None


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
    place, picture = _pair(after)
    rows = c.execute(
        "SELECT i.place, i.picture, p.sha256, i.suggestion, p.class, s.kind, coalesce(s.seq, 0), i.reason, "
        "i.probability, t.name, p.split, p.generation "
        "FROM queue_item i JOIN picture p ON p.id = i.picture LEFT JOIN state s ON s.picture = p.id "
        "LEFT JOIN token t ON t.id = p.sender "
        "WHERE i.filling = ? AND i.done IS NULL AND (i.place, i.picture) > (?, ?) "
        "ORDER BY i.place, i.picture LIMIT ?",
        (filling, place, picture, _bounded(limit) + 1),
    ).fetchall()
    last = rows[limit - 1] if len(rows) > limit else None
    return Page(
        items=tuple(_item(*row[2:]) for row in rows[:limit]),
        next=None if last is None else f"{last[0]}.{last[1]}",
        total=left,
    )


def gallery(c: sqlite3.Connection, filters: Filters, *, after: str | None = None, limit: int = LIMIT) -> Page:
    """Pictures that match, oldest row first, behind a cursor.

    Raises:
        UsageError: the cursor is none, or the limit is not in 1..100.
    """
    source, conditions, values, (class_name, split, generation) = _matching(filters)
    ((total,),) = c.execute(f"SELECT count(*) FROM {source} WHERE {conditions}", values)
    rows = c.execute(
        f"SELECT p.id, p.sha256, NULL, {class_name}, s.kind, coalesce(s.seq, 0), NULL, NULL, t.name, "
        f"{split}, {generation} FROM {source} LEFT JOIN state s ON s.picture = p.id "
        f"LEFT JOIN token t ON t.id = p.sender WHERE {conditions} AND p.id > ? ORDER BY p.id LIMIT ?",
        (*values, _pair(after)[0], _bounded(limit) + 1),
    ).fetchall()
    return Page(
        items=tuple(_item(*row[1:]) for row in rows[:limit]),
        next=str(rows[limit - 1][0]) if len(rows) > limit else None,
        total=total,
    )


def queue_anchors(c: sqlite3.Connection, name: str, step: int) -> list[str]:
    """The cursor behind every `step`-th open item of a queue, so that a page can jump anywhere.

    Raises:
        NotFound, UsageError: no such queue; the step is not in 1..100.
    """
    filling, _ = _filling(c, name)
    rows = c.execute(
        "SELECT place, picture FROM queue_item WHERE filling = ? AND done IS NULL ORDER BY place, picture", (filling,)
    )
    return [f"{place}.{picture}" for place, picture in islice(rows, _bounded(step) - 1, None, step)]


def gallery_anchors(c: sqlite3.Connection, filters: Filters, step: int) -> list[str]:
    """The same for the gallery.

    Raises:
        UsageError: the step is not in 1..100.
    """
    source, conditions, values, _ = _matching(filters)
    rows = c.execute(f"SELECT p.id FROM {source} WHERE {conditions} ORDER BY p.id", values)
    return [str(number) for (number,) in islice(rows, _bounded(step) - 1, None, step)]


def fill(write: Write, name: str, title: str, items: Iterable[Item]) -> int:
    """Fill a queue anew; pictures that are decided already are left out.

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
    write(lambda c: _show(c, name, title, filling))
    while write(lambda c: _drop_old(c, name, filling)):
        pass
    return int(write(lambda c: c.execute("SELECT left FROM filling WHERE id = ?", (filling,)).fetchone()[0]))


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


def _show(c: sqlite3.Connection, name: str, title: str, filling: int) -> None:
    c.execute(
        "INSERT INTO queue (name, title, filling) VALUES (?, ?, ?) "
        "ON CONFLICT (name) DO UPDATE SET title = excluded.title, filling = excluded.filling",
        (name, title, filling),
    )


def _drop_old(c: sqlite3.Connection, name: str, filling: int) -> int:
    """Remove some items of earlier fillings; how many rows that were."""
    gone = c.execute(
        "DELETE FROM queue_item WHERE (filling, picture) IN (SELECT filling, picture FROM queue_item "
        "WHERE filling IN (SELECT id FROM filling WHERE queue = ? AND id < ?) LIMIT ?)",
        (name, filling, _CHUNK),
    ).rowcount
    if gone < _CHUNK:
        c.execute("DELETE FROM filling WHERE queue = ? AND id < ?", (name, filling))
        return 0
    return gone


def _filling(c: sqlite3.Connection, name: str) -> tuple[int, int]:
    """The filling that a queue shows, and how many of it are open."""
    row = c.execute(
        "SELECT f.id, f.left FROM queue q JOIN filling f ON f.id = q.filling WHERE q.name = ?", (name,)
    ).fetchone()
    if row is None:
        names = [one.name for one in queues(c)]
        raise NotFound(f"no queue '{name[:80]}'", hint=did_you_mean(name[:80], names))
    return int(row[0]), int(row[1])


def _matching(filters: Filters) -> tuple[str, str, tuple[object, ...], tuple[str, str, str]]:
    """FROM, WHERE and their values, and the columns of class, split and generation."""
    conditions: list[str] = ["1"]
    values: list[object] = []
    source, columns = "picture p", ("p.class", "p.split", "p.generation")
    if filters.generation is not None:  # as that generation has them
        source, columns = "member m JOIN picture p ON p.id = m.picture", ("m.class", "m.split", "m.generation")
        conditions.append("m.generation = ?")
        values.append(filters.generation)
    for column, value in zip(columns, (filters.class_name, filters.split), strict=False):
        if value is not None:
            conditions.append(f"{column} = ?")
            values.append(value)
    if filters.sender is not None:
        conditions.append("p.sender = (SELECT id FROM token WHERE name = ?)")
        values.append(filters.sender)
    return source, " AND ".join(conditions), tuple(values), columns


def _item(
    sha256: str,
    suggestion: str | None,
    class_name: str | None,
    state: str | None,
    seq: int,
    reason: str | None,
    probability: float | None,
    sender: str | None,
    split: str | None,
    generation: int | None,
) -> dict[str, Any]:
    return {
        "sha256": sha256,
        "suggested": suggestion,
        "class": class_name,
        "state": state,
        "seq": seq,
        "reason": reason,
        "probability": probability,
        "sender": sender,
        "split": split,
        "generation": generation,
    }


def _pair(cursor: str | None) -> tuple[int, int]:
    """The two numbers of a cursor; without one, what comes before everything."""
    if cursor is None:
        return -(1 << 60), 0
    if not _CURSOR.fullmatch(cursor):
        raise UsageError(f"after is {cursor[:80]!r}, expected the `next` of a page")
    first, _, second = cursor.partition(".")
    return int(first), int(second or 0)


def _bounded(limit: int) -> int:
    if not 1 <= limit <= LIMIT:
        raise UsageError(f"limit is {limit}, expected 1 to {LIMIT}")
    return limit
