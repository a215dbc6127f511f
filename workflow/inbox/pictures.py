"""Pictures, who sent them, and what senders say they are."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from workflow.errors import NotFound, UsageError

SENT = 1
"""The filling of the queue `sent`, which submissions fill."""
NOTE = 500
"""The longest note of a report, in characters."""

_DIGEST = re.compile(r"[0-9a-f]{64}")
_PLACES = 10**9  # of the queue `sent`: the least probable answer first
_CONTRADICTED = -1  # before all of them


@dataclass(frozen=True, kw_only=True)
class Facts:
    """A picture file, as it was read."""

    sha256: str
    """Of the bytes, 64 hexadecimal digits."""
    bytes: int | None = None
    format: str | None = None
    """As `data.sniff` names it: `JPEG`."""
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, kw_only=True)
class Known:
    """What the newest generation that holds a picture says of it."""

    class_name: str
    generation: int
    split: str
    path: str
    """As the manifest has it, relative to the project folder."""

    def json(self) -> dict[str, Any]:
        """Keys class, generation, split, path."""
        return {"class": self.class_name, "generation": self.generation, "split": self.split, "path": self.path}


def now() -> str:
    """The time, ISO 8601, UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def check_digest(sha256: str) -> str:
    """The digest, if it is one.

    Raises:
        UsageError: it is not 64 hexadecimal digits.
    """
    if not isinstance(sha256, str) or not _DIGEST.fullmatch(sha256):
        raise UsageError(f"sha256 is {str(sha256)[:80]!r}, expected 64 hexadecimal digits")
    return sha256


def unknown(sha256: str) -> NotFound:
    """That there is no such picture."""
    return NotFound(f"no picture {sha256[:12]}… in the inbox or in a generation", hint="send it to /api/judge first")


def enter(
    c: sqlite3.Connection, facts: Facts, *, origin: str, path: str | None, sender: int | None = None
) -> tuple[int, bool]:
    """The row of a picture, which is made if it is new; whether it was."""
    found = c.execute("SELECT id FROM picture WHERE sha256 = ?", (facts.sha256,)).fetchone()
    if found is None:
        made = c.execute(
            "INSERT INTO picture (sha256, bytes, format, width, height, origin, path, sender, received) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                facts.sha256, facts.bytes, facts.format, facts.width, facts.height,
                origin, path, sender, None if sender is None else now(),
            ),
        )  # fmt: skip
        return int(made.lastrowid or 0), True
    c.execute(
        "UPDATE picture SET format = coalesce(format, ?), width = coalesce(width, ?), height = coalesce(height, ?), "
        "bytes = coalesce(bytes, ?), sender = coalesce(sender, ?), received = coalesce(received, ?) WHERE id = ?",
        (
            facts.format, facts.width, facts.height, facts.bytes, sender,
            None if sender is None else now(), found[0],
        ),
    )  # fmt: skip
    return int(found[0]), False


def submit(
    c: sqlite3.Connection,
    facts: Facts,
    *,
    path: str | None,
    token: int,
    ref: str | None,
    snapshot: str | None,
    probabilities: Mapping[str, float] | None,
) -> bool:
    """Enter a picture that was sent, and what the net answered; whether the picture is new.

    A picture that is not decided yet and of which no generation knows the class joins the queue `sent`.
    """
    picture, new = enter(c, facts, origin="sent", path=path, sender=token)
    if path is not None:  # bytes that were known only from elsewhere are kept here now
        c.execute("UPDATE picture SET path = ?, origin = 'sent' WHERE id = ? AND origin <> 'sent'", (path, picture))
    c.execute(
        "INSERT INTO submission (picture, token, ref, at, snapshot, probabilities) VALUES (?, ?, ?, ?, ?, ?)",
        (picture, token, ref, now(), snapshot, None if probabilities is None else json.dumps(dict(probabilities))),
    )
    label, probability = _first(probabilities)
    if _open(c, picture, known_too=False):
        c.execute(
            "INSERT INTO queue_item (filling, picture, rank, place, suggestion, probability) VALUES (?, ?, ?, ?, ?, ?) "
            "ON CONFLICT DO NOTHING",
            (SENT, picture, _place(probability), _place(probability), label, probability),
        )
    return new


def report(c: sqlite3.Connection, sha256: str, *, class_name: str | None, note: str | None, token: int) -> int:
    """Enter what a sender says a picture is; the number of the report. The same said again is the same report.

    Raises:
        NotFound: no such picture.
    """
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
    if class_name != expected and _open(c, picture, known_too=True):
        said = f"reported as '{class_name}'" if class_name else "reported as wrong"
        c.execute(
            "INSERT INTO queue_item (filling, picture, rank, place, suggestion, reason) VALUES (?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (filling, picture) DO UPDATE SET rank = excluded.rank, place = excluded.place, "
            "suggestion = coalesce(excluded.suggestion, suggestion), reason = excluded.reason, "
            "probability = iif(excluded.suggestion IS NULL, probability, NULL) WHERE done IS NULL",
            (SENT, picture, _CONTRADICTED, _CONTRADICTED, class_name, said),
        )
    return int(made.lastrowid or 0)


def known(c: sqlite3.Connection, sha256: str) -> Known | None:
    """What the newest generation that holds a picture says of it; None for one that no generation holds."""
    row = c.execute(
        "SELECT m.class, m.generation, m.split, m.path FROM picture p JOIN member m ON m.picture = p.id "
        "WHERE p.sha256 = ? ORDER BY m.generation DESC LIMIT 1",
        (sha256,),
    ).fetchone()
    return None if row is None else Known(class_name=row[0], generation=row[1], split=row[2], path=row[3])


def facts(c: sqlite3.Connection, sha256: str) -> dict[str, Any]:
    """Everything about one picture, but for `known`, as `GET /api/pictures/SHA` gives it.

    Raises:
        NotFound: no such picture.
    """
    row = c.execute(
        "SELECT p.id, p.format, p.width, p.height, p.bytes, p.origin, t.name, p.received, p.class, s.kind, s.seq "
        "FROM picture p LEFT JOIN token t ON t.id = p.sender LEFT JOIN state s ON s.picture = p.id "
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
        label, probability = _first(each)
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


def _first(probabilities: Mapping[str, float] | None) -> tuple[str | None, float | None]:
    """The likeliest class and its probability."""
    if not probabilities:
        return None, None
    label = max(probabilities, key=lambda name: probabilities[name])
    return label, float(probabilities[label])


def _place(probability: float | None) -> int:
    """In the queue `sent`: 0 for what the net knows nothing of, 10^9 for what it is sure of."""
    return 0 if probability is None else round(min(max(probability, 0.0), 1.0) * _PLACES)


def _open(c: sqlite3.Connection, picture: int, *, known_too: bool) -> bool:
    """Whether a picture is still to be decided."""
    decided = c.execute(
        "SELECT 1 FROM state WHERE picture = ? AND kind IN ('label', 'keep', 'remove')", (picture,)
    ).fetchone()
    held = not known_too and c.execute("SELECT 1 FROM member WHERE picture = ? LIMIT 1", (picture,)).fetchone()
    return not decided and not held
