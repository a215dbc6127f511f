"""A decision about a picture, and the answer to it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

from workflow.errors import UsageError

KINDS = ("label", "keep", "remove", "later")
KEY = re.compile(r"[A-Za-z0-9_.:-]{1,100}")
"""The form of a key."""


@dataclass(frozen=True, kw_only=True)
class Decision:
    """A decision about a picture."""

    key: str
    sha256: str
    kind: str
    """label: its class is `class_name`; keep: its class is right; remove: exclude it; later: decide later."""
    class_name: str | None = None
    was: str | None = None
    """The class that the author saw."""
    queue: str | None = None
    """The queue in which it was decided."""
    seq: int | None = None
    """The last event that the author saw, 0 for none: checked in place of `was`. None: not given."""

    def __post_init__(self) -> None:
        if not isinstance(self.key, str) or not KEY.fullmatch(self.key):
            raise UsageError(f"key is {str(self.key)[:120]!r}, expected 1 to 100 letters, digits and _ . : -")
        if self.kind not in KINDS:
            raise UsageError(f"kind is {str(self.kind)[:40]!r}, expected {', '.join(KINDS)}")
        if self.kind == "label" and self.class_name is None:
            raise UsageError("a label needs a class")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The answer to a decision."""

    key: str
    status: Literal["saved", "known", "conflict"]
    """saved: it is on the disk; known: it was before; conflict: it is not, and `message` says why."""
    seq: int | None = None
    message: str | None = None

    def json(self) -> dict[str, Any]:
        """Keys key, seq, status, message."""
        return {"key": self.key, "seq": self.seq, "status": self.status, "message": self.message}


@dataclass(frozen=True, kw_only=True)
class Undone:
    """A picture after its event was undone."""

    seq: int
    sha256: str
    class_name: str | None
    state: str | None

    def json(self) -> dict[str, Any]:
        """Keys seq, sha256, class, state."""
        return {"seq": self.seq, "sha256": self.sha256, "class": self.class_name, "state": self.state}
