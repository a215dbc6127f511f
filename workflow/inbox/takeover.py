"""From decisions to the next generation.

A picture of the project's own folders, which a generation knows by its bytes, gets a line in a patch of corrections;
`wf suspects --undo` takes the patch back. Other pictures get a hard link inbox/labelled/CLASS/SHA.EXT, which
`wf prepare` reads as one more folder. A later decision moves the link, or adds a patch.

The decisions are compared with the existing patches and links. So a take-over that was interrupted between patch,
links and rows can be repeated, and takes over nothing twice. Each row says what is about to be taken over before the
patch is written: a decision that is undone then, or after a kill, is due again.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from workflow.data import corrections
from workflow.generations import existing
from workflow.inbox import files
from workflow.inbox.locking import alone
from workflow.inbox.planning import Due, Plan, decide, source_of

if TYPE_CHECKING:
    from workflow.inbox.inbox import Inbox

_CHUNK = 500  # rows in a transaction


@dataclass(kw_only=True)
class Takeover:
    """What a take-over did, or would do."""

    patch: int | None = None
    """Number of the patch; None if no correction was needed."""
    corrected: int = 0
    """Pictures of the project's own folders whose class changes, or stays as it was doubted."""
    linked: int = 0
    """New pictures that get a class."""
    moved: int = 0
    """Pictures of earlier take-overs that get another class."""
    removed: int = 0
    """Pictures that are excluded from now on."""
    unchanged: int = 0
    """Decisions that patches and links already contain."""
    conflicts: list[dict[str, str]] = field(default_factory=list)
    """sha256 and message of decisions that were left out."""

    def json(self) -> dict[str, Any]:
        """As `POST /api/takeover` gives it."""
        return dict(vars(self))


def take_over(inbox: Inbox, *, preview: bool = False) -> Takeover:
    """Take over every decision that is due.

    Args:
        inbox: the inbox.
        preview: only say what would be done.

    Raises:
        UsageError: there is no generation yet, so that there are no classes.
        DataError: a patch or a manifest is damaged.
        OSError: as the operating system says it; repeat the take-over.
    """
    with nullcontext() if preview else alone(inbox.folder, "takeover"):
        newest = existing(inbox.config)
        classes = newest.read().classes
        with inbox.learnt():  # a generation that is half learnt looks as if it did not hold a picture
            plans = _plans(inbox, classes)
        if not preview:
            plans = _announced(inbox, plans)
        found = Takeover()
        for plan in plans:
            _count(found, plan)
        if not preview:
            _carry_out(inbox, plans, found, newest.number)
        return found


def _announced(inbox: Inbox, plans: Sequence[Plan]) -> list[Plan]:
    """Mark the rows of plans that still hold, and return these plans: from now on an undo is taken over, too."""
    still: list[Plan] = []
    for start in range(0, len(plans), _CHUNK):
        still += inbox.write(partial(_announce, plans=plans[start : start + _CHUNK]))
    return still


def _announce(c: sqlite3.Connection, *, plans: Sequence[Plan]) -> list[Plan]:
    return [plan for plan in plans if plan.conflict is not None or _announce_one(c, plan)]


def _announce_one(c: sqlite3.Connection, plan: Plan) -> bool:
    due = plan.due
    if plan.taken is None:
        now = c.execute("SELECT 1 FROM state WHERE picture = ? AND seq = ?", (due.picture, due.seq))
        return now.fetchone() is not None
    made = c.execute(
        "UPDATE state SET taken = ?, taken_base = ? WHERE picture = ? AND seq = ?",
        (plan.taken, plan.before, due.picture, due.seq),
    )
    return made.rowcount == 1


def _carry_out(inbox: Inbox, plans: Sequence[Plan], found: Takeover, newest: int) -> None:
    """Write patch, links and rows; each step continues what an interrupted take-over did."""
    made = [plan.correction for plan in plans if plan.correction is not None and plan.conflict is None]
    if made:
        found.patch = corrections.add(inbox.config.generations, made).number
    for plan in plans:
        if plan.conflict is None:
            _place(inbox, plan)
    for start in range(0, len(plans), _CHUNK):
        chunk = plans[start : start + _CHUNK]
        inbox.write(partial(_settle, plans=chunk, newest=newest, patch=found.patch))


def _plans(inbox: Inbox, classes: Sequence[str]) -> list[Plan]:
    rows = inbox.read(
        lambda c: c.execute(
            "SELECT p.id, p.sha256, p.format, p.path, s.kind, s.class, s.seq, s.base, s.taken, e.kind, e.class, "
            "s.taken_base, s.told, "
            "(SELECT m.path FROM member m WHERE m.picture = p.id ORDER BY m.generation DESC LIMIT 1), p.known "
            "FROM state s JOIN picture p ON p.id = s.picture LEFT JOIN event e ON e.seq = s.taken "
            "WHERE s.pending = 1 ORDER BY s.seq"
        ).fetchall()
    )
    if not rows:
        return []
    steps = corrections.in_force(corrections.patches(inbox.config.generations))
    linked: dict[str, list[str]] = defaultdict(list)
    for path in files.links(inbox.folder):
        linked[path.name[:64]].append(path.parent.name)
    return [
        decide(inbox, due, classes, [one for _, one in steps.get(due.sha256, ())], linked.get(due.sha256, []))
        for due in map(Due._make, rows)
    ]


def _count(found: Takeover, plan: Plan) -> None:
    if plan.conflict is not None:
        found.conflicts.append({"sha256": plan.due.sha256, "message": plan.conflict})
    elif (plan.correction is not None and plan.correction.remove) or (plan.unlink and plan.link is None):
        found.removed += 1
    elif plan.make:
        found.linked += 1
    elif plan.move is not None:
        found.moved += 1
    elif plan.correction is not None:
        found.corrected += 1
    else:
        found.unchanged += 1


def _place(inbox: Inbox, plan: Plan) -> None:
    """Make, move and remove links; repeating it changes nothing."""
    due = plan.due
    source = source_of(inbox, due)
    names = {path.name for path in (inbox.folder / "labelled").glob(f"*/{due.sha256}.*")}
    ending = files.suffix(due.format) if due.format else (source.suffix.lower() if source else "")
    name = min(names, default=f"{due.sha256}{ending or '.jpg'}")
    if plan.link is not None and plan.move is not None:
        files.move_link(inbox.folder, plan.move, plan.link, name)
    elif plan.link is not None and plan.make and source is not None:
        files.link(source, inbox.folder, plan.link, name)
    for class_name in plan.unlink:
        files.unlink(inbox.folder, class_name, name)


def _settle(c: sqlite3.Connection, *, plans: Sequence[Plan], newest: int, patch: int | None) -> None:
    """Record what was taken over; a picture that was decided again in the meantime stays due."""
    for plan in plans:
        due = plan.due
        if plan.conflict is not None:
            c.execute(
                "UPDATE state SET told = ? WHERE picture = ? AND seq = ?",
                (f"{due.seq} {plan.seen}", due.picture, due.seq),
            )
            continue
        c.execute(
            "UPDATE state SET taken = ?1, taken_base = ?2, taken_generation = ?3, taken_patch = ?4, link = ?5, "
            "told = NULL, pending = iif(seq = ?7, 0, 1), base = iif(seq = ?7, base, ?6) WHERE picture = ?8",
            (
                plan.taken,
                plan.before if plan.taken else None,
                newest,
                patch if plan.correction is not None else None,
                plan.link,
                plan.after,
                due.seq,
                due.picture,
            ),
        )
