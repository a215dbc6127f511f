"""Who may call: tokens of a role, of which only the hash is stored.

owner      everything; the row `owner` without a hash stands for the person at this machine
labeller   reads, labels, undoes own labels
bot        judges, reports, reads the pictures that it sent
"""

from __future__ import annotations

import hashlib
import re
import secrets
import sqlite3
from dataclasses import dataclass
from typing import Any, Literal, get_args

from workflow.errors import NotFound, UsageError, did_you_mean
from workflow.inbox.pictures import now

Role = Literal["owner", "labeller", "bot"]
ROLES: tuple[Role, ...] = get_args(Role)
OWNER = 1
"""The token of the person at this machine."""
NAME = re.compile(r"[\w][\w .@-]*")
LONGEST = 64
"""Characters of a name."""
_PREFIX = "wf_"


@dataclass(frozen=True, kw_only=True)
class Token:
    """A caller."""

    id: int
    name: str
    role: Role
    created: str
    revoked: str | None = None

    def json(self) -> dict[str, Any]:
        """Keys name, role, created, revoked."""
        return {"name": self.name, "role": self.role, "created": self.created, "revoked": self.revoked}


def add(c: sqlite3.Connection, name: str, role: str) -> str:
    """Make a token, and return its text, which is not stored.

    Raises:
        UsageError: the name is taken or cannot be one; no such role.
    """
    if role not in ROLES:
        raise UsageError(f"role is '{role[:40]}', expected {', '.join(ROLES)}")
    if len(name) > LONGEST or not NAME.fullmatch(name):
        raise UsageError(
            f"a token cannot be called {name[:80]!r}: expected 1 to 64 letters, digits, spaces and _ . @ -"
        )
    if c.execute("SELECT 1 FROM token WHERE name = ?", (name,)).fetchone():
        raise UsageError(f"a token is called '{name}' already", hint="choose another name; names are not given again")
    text = _PREFIX + secrets.token_urlsafe(32)
    c.execute("INSERT INTO token (name, role, hash, created) VALUES (?, ?, ?, ?)", (name, role, digest(text), now()))
    return text


def find(c: sqlite3.Connection, text: str) -> Token | None:
    """The caller that a token belongs to; None if there is none, or it was revoked.

    The token is looked up by its hash, so the time this takes says nothing about tokens that exist.
    """
    row = c.execute(
        "SELECT id, name, role, created FROM token WHERE hash = ? AND revoked IS NULL", (digest(text),)
    ).fetchone()
    return None if row is None else Token(id=row[0], name=row[1], role=row[2], created=row[3])


def owner(c: sqlite3.Connection) -> Token:
    """The person at this machine."""
    row = c.execute("SELECT id, name, role, created FROM token WHERE id = ?", (OWNER,)).fetchone()
    return Token(id=row[0], name=row[1], role=row[2], created=row[3])


def listed(c: sqlite3.Connection) -> list[Token]:
    """Every token, oldest first, without the row of the person at this machine."""
    rows = c.execute("SELECT id, name, role, created, revoked FROM token WHERE id <> ? ORDER BY id", (OWNER,))
    return [Token(id=row[0], name=row[1], role=row[2], created=row[3], revoked=row[4]) for row in rows]


def revoke(c: sqlite3.Connection, name: str) -> Token:
    """Revoke a token; what it sent and decided stays. Revoking twice is revoking once.

    Raises:
        NotFound: no such token.
    """
    number = sender(c, name)
    if number == OWNER:
        raise UsageError("'owner' is the person at this machine: there is no token to revoke")
    c.execute("UPDATE token SET revoked = ? WHERE id = ? AND revoked IS NULL", (now(), number))
    row = c.execute("SELECT id, name, role, created, revoked FROM token WHERE id = ?", (number,)).fetchone()
    return Token(id=row[0], name=row[1], role=row[2], created=row[3], revoked=row[4])


def sender(c: sqlite3.Connection, name: str) -> int:
    """The row of a caller by its name.

    Raises:
        NotFound: no such caller.
    """
    row = c.execute("SELECT id FROM token WHERE name = ?", (name,)).fetchone()
    if row is None:
        names = [one for (one,) in c.execute("SELECT name FROM token ORDER BY id")]
        raise NotFound(f"no sender or token is called '{name[:80]}'", hint=did_you_mean(name[:80], names))
    return int(row[0])


def digest(text: str) -> str:
    """The hash of a token: SHA-256 suffices for 256 random bits."""
    return hashlib.sha256(text.encode()).hexdigest()
