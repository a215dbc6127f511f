"""Counts of what is in an inbox."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Sender:
    """Somebody who sent pictures or reports."""

    name: str
    role: str
    pictures: int
    """Pictures that this sender was the first to send."""
    submissions: int
    reports: int
    labelled: int
    """Pictures whose class was decided."""
    last: str | None
    """When the sender last sent something; ISO 8601, UTC."""

    def json(self) -> dict[str, Any]:
        """All fields."""
        return dict(vars(self))


def senders(c: sqlite3.Connection) -> list[Sender]:
    """All senders, the busiest first."""
    rows = c.execute(
        "SELECT t.name, t.role, "
        "(SELECT count(*) FROM picture WHERE sender = t.id), "
        "(SELECT count(*) FROM submission WHERE token = t.id) AS sent, "
        "(SELECT count(*) FROM report WHERE token = t.id) AS reported, "
        "(SELECT count(*) FROM picture p JOIN state s ON s.picture = p.id "
        "WHERE p.sender = t.id AND s.kind IN ('label', 'keep')), "
        "(SELECT max(at) FROM (SELECT max(at) AS at FROM submission WHERE token = t.id "
        "UNION ALL SELECT max(at) FROM report WHERE token = t.id)) "
        "FROM token t WHERE sent > 0 OR reported > 0 ORDER BY sent DESC, t.id"
    )
    names = ("name", "role", "pictures", "submissions", "reports", "labelled", "last")
    return [Sender(**dict(zip(names, row, strict=True))) for row in rows]


def due(c: sqlite3.Connection) -> int:
    """Decisions that no take-over has taken over."""
    ((count,),) = c.execute("SELECT count(*) FROM state WHERE pending = 1")
    return int(count)
