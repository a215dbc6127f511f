"""All pictures, those of generations and those that were sent, by filters."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from workflow.inbox import paging
from workflow.inbox.paging import LIMIT, Filters, Page, bounded, item, pair


def page(c: sqlite3.Connection, filters: Filters, *, after: str | None = None, limit: int = LIMIT) -> Page:
    """Pictures that match, oldest row first, behind a cursor.

    Raises:
        UsageError: the cursor is none, or the limit is not in 1..100.
    """
    source = _matching(filters)
    ((total,),) = c.execute(f"SELECT count(*) FROM {source.table} WHERE {source.conditions}", source.values)
    rows = c.execute(
        f"SELECT p.id, p.sha256, NULL, {source.columns[0]}, s.kind, coalesce(s.seq, 0), NULL, NULL, t.name, "
        f"{source.columns[1]}, {source.columns[2]} FROM {source.table}{source.join} "
        "LEFT JOIN state s ON s.picture = p.id LEFT JOIN token t ON t.id = p.sender "
        f"WHERE {source.conditions} AND {source.key} > ? ORDER BY {source.key} LIMIT ?",
        (*source.values, pair(after)[0], bounded(limit) + 1),
    ).fetchall()
    return Page(
        items=tuple(item(*row[1:]) for row in rows[:limit]),
        next=str(rows[limit - 1][0]) if len(rows) > limit else None,
        total=total,
    )


def anchors(c: sqlite3.Connection, filters: Filters, step: int) -> list[str]:
    """The cursor behind every `step`-th picture that matches, so that a page can jump anywhere.

    Raises:
        UsageError: the step is not in 1..100.
    """
    source = _matching(filters)
    query = (
        f"SELECT {source.key} FROM {source.table} WHERE {source.conditions} AND {source.key} > ? "
        f"ORDER BY {source.key} LIMIT 1 OFFSET ?"
    )
    return [str(number) for (number,) in paging.anchors(c, query, source.values, step, (0,))]


class _Source(NamedTuple):
    """The tables that the pictures are read from."""

    table: str
    join: str
    """The SQL join from there to the picture."""
    key: str
    """The picture's number there, by which the table's index is ordered."""
    columns: tuple[str, str, str]
    """Class, split and generation."""
    conditions: str
    values: tuple[object, ...]


def _matching(filters: Filters) -> _Source:
    table, join, key = "picture p", "", "p.id"
    columns, sender = ("p.class", "p.split", "p.generation"), "p.sender"
    if filters.generation is not None:  # as in that generation
        table, join, key = "member m", " CROSS JOIN picture p ON p.id = m.picture", "m.picture"
        columns, sender = ("m.class", "m.split", "m.generation"), "(SELECT sender FROM picture WHERE id = m.picture)"
    chosen = {
        "m.generation = ?": filters.generation,
        f"{columns[0]} = ?": filters.class_name,
        f"{columns[1]} = ?": filters.split,
        f"{sender} = (SELECT id FROM token WHERE name = ?)": filters.sender,
    }
    some = {condition: value for condition, value in chosen.items() if value is not None}
    return _Source(table, join, key, columns, " AND ".join(["1", *some]), tuple(some.values()))
