"""Decisions about pictures: append-only events, and the decision in force that follows from them.

An event is known by its key, which the caller chooses: the same event sent again is known, not entered twice. An event
says what class its author saw (`was`); if the picture has another one by now, nothing is overwritten: conflict.
"""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from workflow.errors import NotFound, UsageError
from workflow.inbox.decisions import Answer, Decision, Undone
from workflow.inbox.pictures import now

_DECISIONS = ("label", "keep", "remove")
_ITEM = "picture = ? AND filling = (SELECT filling FROM queue WHERE name = ?)"
_BEHIND = 1 << 40  # places of pictures that were put off come after all ranks


class _Picture(NamedTuple):
    """A picture with the decision in force for it."""

    id: int
    class_name: str | None
    known: str | None
    """Its class in its newest generation."""
    kind: str | None
    decided: str | None
    """The decided class; after an undo, the one of before."""
    seq: int
    token: int
    by: str | None
    pending: int
    base: str | None
    """The class before the first decision that is to be taken over."""
    taken: int | None
    taken_base: str | None
    """The class before the first decision that was taken over."""
    taken_generation: int | None
    """The newest generation at the last take-over; None if there was none."""

    @property
    def restored(self) -> str | None:
        """The class when all decisions are undone."""
        if self.taken is not None:
            return self.taken_base
        if self.taken_generation is None:
            return self.known
        return self.base if self.pending else self.class_name


def decide(c: sqlite3.Connection, one: Decision, token: int) -> Answer:
    """Enter a decision, unless it is known or conflicts with a newer one."""
    entered = c.execute(
        "SELECT e.seq, p.sha256, e.kind, e.class FROM event e JOIN picture p ON p.id = e.picture WHERE e.key = ?",
        (one.key,),
    ).fetchone()
    if entered is not None:
        same = entered[1:3] == (one.sha256, one.kind) and (one.kind != "label" or entered[3] == one.class_name)
        if same:
            return Answer(key=one.key, status="known", seq=entered[0])
        return Answer(key=one.key, status="conflict", message="this key was used for another decision")
    picture = _picture(c, "p.sha256 = ?", one.sha256)
    if picture is None:
        return Answer(key=one.key, status="conflict", message=f"no picture {one.sha256[:12]}…")
    class_name = {"label": one.class_name, "remove": None}.get(one.kind, picture.class_name)
    if reason := _conflict(picture, one, class_name, token):
        return Answer(key=one.key, status="conflict", message=reason)
    made = c.execute(
        "INSERT INTO event (key, picture, token, kind, class, was, queue, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (one.key, picture.id, token, one.kind, class_name, picture.class_name, one.queue, now()),
    )
    seq = int(made.lastrowid or 0)
    if one.kind == "later":
        c.execute(
            f"UPDATE queue_item SET place = ? WHERE {_ITEM}",
            (_BEHIND + seq, picture.id, one.queue),
        )
        if picture.kind not in _DECISIONS:
            _enter_state(c, picture, "later", picture.class_name, seq, token)
    else:
        _enter_state(c, picture, one.kind, class_name, seq, token)
        c.execute("UPDATE queue_item SET done = ? WHERE picture = ? AND done IS NULL", (seq, picture.id))
    return Answer(key=one.key, status="saved", seq=seq)


def undo(c: sqlite3.Connection, key: str, token: int, *, others_too: bool = True) -> Undone:
    """Undo the decision of that key; the decision before it is in force again. Undoing twice is undoing once.

    Args:
        c: within a transaction.
        key: of the decision.
        token: the caller's.
        others_too: whether decisions of others may be undone.

    Raises:
        NotFound: no such decision.
        UsageError: it is another person's decision.
    """
    found = c.execute(
        "SELECT e.seq, e.picture, e.token, e.kind, e.queue, u.seq FROM event e LEFT JOIN event u ON u.undoes = e.seq "
        "WHERE e.key = ? AND e.kind <> 'undo'",
        (key,),
    ).fetchone()
    if found is None:
        raise NotFound(f"no decision has the key '{key[:100]}'", hint="it may not have been saved")
    seq, picture_id, author, kind, queue, undone = found
    if not others_too and author != token:
        raise UsageError("only the owner takes back what others decided")
    if undone is None:
        undone = _undo(c, seq, picture_id, kind, queue, key, token)
    picture = _picture(c, "p.id = ?", picture_id)
    (sha256,) = c.execute("SELECT sha256 FROM picture WHERE id = ?", (picture_id,)).fetchone()
    return Undone(
        seq=undone,
        sha256=sha256,
        class_name=picture.class_name if picture else None,
        state=picture.kind if picture else None,
    )


def _undo(c: sqlite3.Connection, seq: int, picture_id: int, kind: str, queue: str | None, key: str, token: int) -> int:
    picture = _picture(c, "p.id = ?", picture_id)
    if picture is None:
        raise NotFound("its picture is gone")
    made = c.execute(
        "INSERT INTO event (key, picture, token, kind, queue, was, at, undoes) VALUES (?, ?, ?, 'undo', ?, ?, ?, ?)",
        (f"undo {key}", picture_id, token, queue, picture.class_name, now(), seq),
    )
    undone = int(made.lastrowid or 0)
    if kind == "later":
        c.execute(
            f"UPDATE queue_item SET place = rank WHERE {_ITEM}",
            (picture_id, queue),
        )
    before = c.execute(
        "SELECT e.seq, e.kind, e.class FROM event e WHERE e.picture = ? AND e.kind <> 'undo' "
        "AND NOT EXISTS (SELECT 1 FROM event u WHERE u.undoes = e.seq) "
        "ORDER BY e.kind = 'later', e.seq DESC LIMIT 1",
        (picture_id,),
    ).fetchone()
    last, state, class_name = before or (None, None, None)
    decided = state in _DECISIONS
    _enter_state(c, picture, state, class_name if decided else picture.restored, undone, token)
    c.execute(
        "UPDATE queue_item SET done = ? WHERE picture = ? AND done = ?", (last if decided else None, picture_id, seq)
    )
    return undone


def _picture(c: sqlite3.Connection, condition: str, value: object) -> _Picture | None:
    row = c.execute(
        "SELECT p.id, p.class, p.known, s.kind, s.class, coalesce(s.seq, 0), coalesce(s.token, 0), t.name, "
        "coalesce(s.pending, 0), s.base, s.taken, s.taken_base, s.taken_generation "
        f"FROM picture p LEFT JOIN state s ON s.picture = p.id LEFT JOIN token t ON t.id = s.token WHERE {condition}",
        (value,),
    ).fetchone()
    return None if row is None else _Picture(*row)


def _conflict(picture: _Picture, one: Decision, class_name: str | None, token: int) -> str | None:
    """Why a decision must not be entered; None if it may."""
    if one.kind == "later":
        return None
    if one.kind == "keep" and picture.class_name is None:
        return "it has no class that could be kept: give it one"
    if one.kind == "keep" and one.class_name is not None and one.class_name != picture.class_name:
        return f"it is {_named(picture.class_name)} by now"
    if (picture.kind, picture.decided) == (one.kind, class_name):  # two who agree
        return None
    by = f", decided by {picture.by}" if picture.by and picture.kind in _DECISIONS else ""
    if one.seq is not None:
        changed = picture.kind in _DECISIONS and one.seq != picture.seq
    else:
        kept = picture.kind == "keep" and picture.token != token  # which leaves the class as its author saw it
        changed = one.was != picture.class_name or kept
    return f"it is {_named(picture.class_name, picture.kind)} by now{by}" if changed else None


def _named(class_name: str | None, kind: str | None = None) -> str:
    if kind == "remove":
        return "removed"
    return "without a class" if class_name is None else f"'{class_name}'"


def _enter_state(
    c: sqlite3.Connection, picture: _Picture, kind: str | None, class_name: str | None, seq: int, token: int
) -> None:
    """Make this the decision in force, to be taken over unless there is nothing to take over or to take back."""
    pending = int(kind in _DECISIONS or picture.taken is not None)
    base = picture.base if picture.pending else picture.class_name
    c.execute(
        "INSERT INTO state (picture, kind, class, seq, token, pending, base) VALUES (?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (picture) DO UPDATE SET kind = excluded.kind, class = excluded.class, seq = excluded.seq, "
        "token = excluded.token, pending = excluded.pending, base = excluded.base",
        (picture.id, kind, class_name, seq, token, pending, base),
    )
    c.execute("UPDATE picture SET class = ? WHERE id = ?", (class_name, picture.id))
