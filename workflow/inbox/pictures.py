"""Pictures, and who sent them."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from workflow.errors import NotFound, UsageError

SENT = 1
"""The filling of the queue `sent`, which submissions fill."""
_DIGEST = re.compile(r"[0-9a-f]{64}")
_PLACES = 10**9  # of the queue `sent`: the least probable answer first


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
class Submission:
    """Who sent a picture, how large it is, and what the net answered."""

    width: int
    """In pixels, before it is turned upright."""
    height: int
    token: int
    """Whose it is, `Token.id`."""
    ref: str | None = None
    """The sender's own name for it, such as the address of a post."""
    snapshot: str | None = None
    """Which answered."""
    probabilities: Mapping[str, float] | None = None
    """Class -> 0..1."""


@dataclass(frozen=True, kw_only=True)
class Known:
    """The class and path of a picture in the newest generation that holds it."""

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
    """The error for a picture that does not exist."""
    return NotFound(f"no picture {sha256[:12]}… in the inbox or in a generation", hint="send it to /api/judge first")


def enter(
    c: sqlite3.Connection, facts: Facts, *, origin: str, path: str | None, sender: int | None = None
) -> tuple[int, bool]:
    """Make the row of a picture if it is new; returns the row, and whether it is new."""
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


def submit(c: sqlite3.Connection, facts: Facts, submission: Submission, *, path: str | None) -> bool:
    """Enter a picture that was sent, and what the net answered; whether the picture is new.

    A picture that is not decided yet and of which no generation knows the class joins the queue `sent`.
    """
    token, shares = submission.token, submission.probabilities
    picture, new = enter(c, facts, origin="sent", path=path, sender=token)
    if path is not None:  # bytes that were known only from elsewhere are kept here now
        c.execute("UPDATE picture SET path = ?, origin = 'sent' WHERE id = ? AND origin <> 'sent'", (path, picture))
    c.execute(
        "INSERT INTO submission (picture, token, ref, at, snapshot, probabilities) VALUES (?, ?, ?, ?, ?, ?)",
        (
            picture, token, submission.ref, now(), submission.snapshot,
            None if shares is None else json.dumps(dict(shares)),
        ),
    )  # fmt: skip
    label, probability = first(shares)
    if undecided(c, picture, known_too=False):
        c.execute(
            "INSERT INTO queue_item (filling, picture, rank, place, suggestion, probability) VALUES (?, ?, ?, ?, ?, ?) "
            "ON CONFLICT DO NOTHING",
            (SENT, picture, _place(probability), _place(probability), label, probability),
        )
    return new


def known(c: sqlite3.Connection, sha256: str) -> Known | None:
    """The class and path of a picture in the newest generation that holds it; None if none does."""
    row = c.execute(
        "SELECT m.class, m.generation, m.split, m.path FROM picture p JOIN member m ON m.picture = p.id "
        "WHERE p.sha256 = ? ORDER BY m.generation DESC LIMIT 1",
        (sha256,),
    ).fetchone()
    return None if row is None else Known(class_name=row[0], generation=row[1], split=row[2], path=row[3])


def first(probabilities: Mapping[str, float] | None) -> tuple[str | None, float | None]:
    """The likeliest class and its probability."""
    if not probabilities:
        return None, None
    label = max(probabilities, key=lambda name: probabilities[name])
    return label, float(probabilities[label])


def _place(probability: float | None) -> int:
    """Its place in the queue `sent`: 0 where the net is least confident, 10^9 where it is certain."""
    return 0 if probability is None else round(min(max(probability, 0.0), 1.0) * _PLACES)


def undecided(c: sqlite3.Connection, picture: int, *, known_too: bool) -> bool:
    """Whether a picture is still to be decided."""
    decided = c.execute(
        "SELECT 1 FROM state WHERE picture = ? AND kind IN ('label', 'keep', 'remove')", (picture,)
    ).fetchone()
    held = not known_too and c.execute("SELECT 1 FROM member WHERE picture = ? LIMIT 1", (picture,)).fetchone()
    return not decided and not held
