"""All pictures, those of generations and those that were sent, by filters."""

from __future__ import annotations

import sqlite3

from workflow.inbox import paging
from workflow.inbox.paging import LIMIT, Filters, Page, bounded, item, pair


def page(c: sqlite3.Connection, filters: Filters, *, after: str | None = None, limit: int = LIMIT) -> Page:
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
        (*values, pair(after)[0], bounded(limit) + 1),
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
    source, conditions, values, _ = _matching(filters)
    query = f"SELECT p.id FROM {source} WHERE {conditions} AND p.id > ? ORDER BY p.id LIMIT 1 OFFSET ?"
    return [str(number) for (number,) in paging.anchors(c, query, values, step, (0,))]


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
