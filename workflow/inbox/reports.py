"""Reports of senders about a picture: no labels, but a reason to look at it."""

from __future__ import annotations

import sqlite3

from workflow.errors import UsageError
from workflow.inbox.pictures import SENT, now, undecided, unknown

NOTE = 500
"""The longest note, in characters."""
_CONTRADICTED = -1  # its place in the queue `sent`: before all others


def report(c: sqlite3.Connection, sha256: str, *, class_name: str | None, note: str | None, token: int) -> int:
    """Enter a sender's report about a picture; returns its number. A repeated report keeps its number.

    Raises:
        NotFound: no such picture.
        UsageError: the note is too long.
    """
    if note is not None and len(note) > NOTE:
        raise UsageError(f"the note has {len(note):,} characters, expected at most {NOTE}")
    found = c.execute("SELECT id, class FROM picture WHERE sha256 = ?", (sha256,)).fetchone()
    if found is None:
        raise unknown(sha256)
    picture, current = found
    same = c.execute(
        "SELECT id FROM report WHERE picture = ? AND token = ? AND class IS ? AND note IS ?",
        (picture, token, class_name, note),
    ).fetchone()
    if same is not None:
        return int(same[0])
    made = c.execute(
        "INSERT INTO report (picture, token, class, note, at) VALUES (?, ?, ?, ?, ?)",
        (picture, token, class_name, note, now()),
    )
    answered = c.execute(
        "SELECT suggestion FROM queue_item WHERE filling = ? AND picture = ?", (SENT, picture)
    ).fetchone()
    expected = current if current is not None else answered[0] if answered else None
    if class_name != expected and undecided(c, picture, known_too=True):
        said = f"reported as '{class_name}'" if class_name else "reported as wrong"
        c.execute(
            "INSERT INTO queue_item (filling, picture, rank, place, suggestion, reason) VALUES (?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (filling, picture) DO UPDATE SET rank = excluded.rank, place = excluded.place, "
            "suggestion = coalesce(excluded.suggestion, suggestion), reason = excluded.reason, "
            "probability = iif(excluded.suggestion IS NULL, probability, NULL) WHERE done IS NULL",
            (SENT, picture, _CONTRADICTED, _CONTRADICTED, class_name, said),
        )
    return int(made.lastrowid or 0)
