"""Pages of pictures by keyset: a cursor names the row after which the next page begins."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from workflow.errors import UsageError

Row = tuple[Any, ...]
LIMIT = 100
"""The longest page."""
CURSOR = re.compile(r"-?[0-9]{1,18}(?:\.[0-9]{1,18})?")


@dataclass(frozen=True, kw_only=True)
class Filters:
    """Which pictures are shown; None is any."""

    class_name: str | None = None
    split: str | None = None
    sender: str | None = None
    generation: int | None = None


@dataclass(frozen=True, kw_only=True)
class Page:
    """Some pictures, and the cursor of the next ones."""

    items: tuple[dict[str, Any], ...]
    """Keys sha256, suggested, class, state, seq, reason, probability, sender, split, generation."""
    next: str | None
    """Cursor of the next page; None at the end."""
    total: int
    """All pictures that match the filters; of a queue, those that are open."""


def item(
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
    """A picture on a page, from the columns of its row; `seq` is that of its last event, 0 for none."""
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


def pair(cursor: str | None) -> tuple[int, int]:
    """The two numbers of a cursor; without a cursor, numbers below all others."""
    if cursor is None:
        return -(1 << 60), 0
    if not CURSOR.fullmatch(cursor):
        raise UsageError(f"after is {cursor[:80]!r}, expected the `next` of a page")
    first, _, second = cursor.partition(".")
    return int(first), int(second or 0)


def bounded(limit: int) -> int:
    """The length of a page, or a step of anchors.

    Raises:
        UsageError: it is not in 1..100.
    """
    if not 1 <= limit <= LIMIT:
        raise UsageError(f"limit is {limit}, expected 1 to {LIMIT}")
    return limit


def anchors(c: sqlite3.Connection, query: str, values: Sequence[object], step: int, first: Row) -> Iterator[Row]:
    """Every `step`-th row of an ordered index, each found from the one before it.

    Args:
        c: to read with.
        query: gives the key of the row that comes `OFFSET ?` rows behind a key; the values, that key and a number
            of rows are its parameters.
        values: its first parameters.
        step: rows from one to the next, 1..100.
        first: a key below all others.
    """
    skipped = bounded(step) - 1
    key = first
    while (found := c.execute(query, (*values, *key, skipped)).fetchone()) is not None:
        key = found
        yield key
