"""Everything that is known of one picture."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Any

from workflow.inbox.pictures import first, known, unknown


def facts(c: sqlite3.Connection, sha256: str) -> dict[str, Any]:
    """Everything about one picture, without `known`, as `GET /api/pictures/SHA` gives it.

    Raises:
        NotFound: no such picture.
    """
    row = c.execute(
        "SELECT p.id, p.format, p.width, p.height, p.bytes, p.origin, t.name, p.received, p.class, s.kind, "
        "coalesce(s.seq, 0) FROM picture p LEFT JOIN token t ON t.id = p.sender LEFT JOIN state s ON s.picture = p.id "
        "WHERE p.sha256 = ?",
        (sha256,),
    ).fetchone()
    if row is None:
        raise unknown(sha256)
    names = ("format", "width", "height", "bytes", "origin", "sender", "received", "label", "state", "seq")
    found = known(c, sha256)
    return {
        "sha256": sha256,
        **dict(zip(names, row[1:], strict=True)),
        "known": None if found is None else found.json(),
        "answers": _answers(c, row[0]),
        "reports": _rows(
            c,
            ("class", "note", "at", "sender"),
            "SELECT r.class, r.note, r.at, t.name FROM report r JOIN token t ON t.id = r.token "
            "WHERE r.picture = ? ORDER BY r.id DESC LIMIT 100",
            row[0],
        ),
        "events": _rows(
            c,
            ("seq", "kind", "class", "was", "queue", "at", "by", "undone"),
            "SELECT e.seq, e.kind, e.class, e.was, e.queue, e.at, t.name, u.seq IS NOT NULL FROM event e "
            "JOIN token t ON t.id = e.token LEFT JOIN event u ON u.undoes = e.seq "
            "WHERE e.picture = ? AND e.kind <> 'undo' ORDER BY e.seq DESC LIMIT 100",
            row[0],
        ),
    }


def _answers(c: sqlite3.Connection, picture: int) -> list[dict[str, Any]]:
    found = []
    for snapshot, probabilities, at, sender in c.execute(
        "SELECT s.snapshot, s.probabilities, s.at, t.name FROM submission s JOIN token t ON t.id = s.token "
        "WHERE s.picture = ? ORDER BY s.id DESC LIMIT 100",
        (picture,),
    ):
        each = json.loads(probabilities) if probabilities else {}
        label, probability = first(each)
        found.append(
            {
                "snapshot": snapshot,
                "label": label,
                "probability": probability,
                "probabilities": each,
                "at": at,
                "sender": sender,
            }
        )
    return found


def _rows(c: sqlite3.Connection, names: Sequence[str], query: str, picture: int) -> list[dict[str, Any]]:
    found = [dict(zip(names, row, strict=True)) for row in c.execute(query, (picture,))]
    for one in found:
        if "undone" in one:
            one["undone"] = bool(one["undone"])
    return found
