"""From decisions to the next generation.

A picture of the project's own folders, which a generation knows by its bytes, gets a line in a patch of corrections;
`wf suspects --undo` takes the patch back. Other pictures get a hard link inbox/labelled/CLASS/SHA.EXT, which
`wf prepare` reads as one more folder. A later decision moves the link, or adds a patch.

What is wanted is compared with what patches and links say already. So a take-over that was interrupted between patch,
links and rows can be repeated, and takes over nothing twice.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from workflow.data import corrections
from workflow.data.corrections import Correction
from workflow.generations import existing
from workflow.inbox import files
from workflow.paths import located, recorded

if TYPE_CHECKING:
    from workflow.inbox.inbox import Inbox

_CHUNK = 500  # rows in a transaction
_SET_ASIDE = "takes no part"


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
    """Pictures that take no part from now on."""
    unchanged: int = 0
    """Decisions that patches and links say already."""
    conflicts: list[dict[str, str]] = field(default_factory=list)
    """sha256 and message of decisions that were left out."""

    def json(self) -> dict[str, Any]:
        """As `POST /api/takeover` gives it."""
        return dict(vars(self))


class _Due(NamedTuple):
    """A decision to be taken over."""

    picture: int
    sha256: str
    format: str | None
    path: str | None
    kind: str | None
    class_name: str | None
    seq: int
    base: str | None
    """The class that the picture had when it was first decided since the last take-over."""
    taken: int | None
    taken_base: str | None
    told: str | None
    member: str | None
    """Its path in the newest generation that holds it; None if none does."""
    known: str | None
    """Its class there."""


@dataclass(kw_only=True)
class _Plan:
    """What to do about one picture."""

    due: _Due
    correction: Correction | None = None
    unlink: tuple[str, ...] = ()
    """Classes that lose the link."""
    move: str | None = None
    """The class that the link comes from."""
    link: str | None = None
    """The class that the link is in afterwards."""
    make: bool = False
    """Whether that link is to be made."""
    before: str | None = None
    """The class before anything was decided here, to which an undo leads back."""
    conflict: str | None = None
    seen: str | None = None
    """What the conflict is with."""


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
    inbox.learn()
    with inbox.alone("takeover"):
        newest = existing(inbox.config)
        classes = newest.read().classes
        found = Takeover()
        plans = _plans(inbox, classes)
        for plan in plans:
            _count(found, plan)
        if preview:
            return found
        made = [plan.correction for plan in plans if plan.correction is not None and plan.conflict is None]
        if made:
            found.patch = corrections.add(inbox.config.generations, made).number
        for plan in plans:
            if plan.conflict is None:
                _place(inbox, plan)
        for start in range(0, len(plans), _CHUNK):
            chunk = plans[start : start + _CHUNK]
            inbox.write(partial(_settle, plans=chunk, newest=newest.number))
        return found


def _plans(inbox: Inbox, classes: Sequence[str]) -> list[_Plan]:
    rows = inbox.read(
        lambda c: c.execute(
            "SELECT p.id, p.sha256, p.format, p.path, s.kind, s.class, s.seq, s.base, s.taken, s.taken_base, s.told, "
            "(SELECT m.path FROM member m WHERE m.picture = p.id ORDER BY m.generation DESC LIMIT 1), p.known "
            "FROM state s JOIN picture p ON p.id = s.picture WHERE s.pending = 1 ORDER BY s.seq"
        ).fetchall()
    )
    if not rows:
        return []
    steps = corrections.in_force(corrections.patches(inbox.config.generations))
    linked: dict[str, list[str]] = defaultdict(list)
    for class_name, sha256, _ in files.links(inbox.folder):
        linked[sha256].append(class_name)
    return [
        _plan(inbox, due, classes, [one for _, one in steps.get(due.sha256, ())], linked.get(due.sha256, []))
        for due in map(_Due._make, rows)
    ]


def _plan(inbox: Inbox, due: _Due, classes: Sequence[str], steps: list[Correction], linked: list[str]) -> _Plan:
    held = _held(inbox, due)
    folder = due.known if held else linked[0] if linked else None
    now, removed = (None, False) if folder is None else _follow(folder, steps)
    plan = _Plan(due=due, before=due.taken_base if due.taken is not None else now)
    remove = due.kind == "remove"
    back = due.known if held and due.taken_base is None else due.taken_base
    wanted = None if remove else due.class_name if due.kind is not None else back
    if wanted is not None and wanted not in classes:
        return _against(plan, f"there is no class '{wanted}' any more", wanted)
    seen = _SET_ASIDE if removed else now
    expected = {due.base, _SET_ASIDE if remove else wanted}
    if due.base is None and due.taken is not None:
        expected.add(_SET_ASIDE)
    if folder is not None and seen not in expected and not _told(due, seen):
        said = _SET_ASIDE if removed else f"is '{now}'"
        return _against(plan, f"it {said} by a correction or a moved file since; decide again to overrule that", seen)
    if held or wanted is None:
        plan.unlink = tuple(linked)
        if held:
            plan.correction = _correction(due, due.known or "", steps, wanted)
        return plan
    if not _can_be_folder(wanted):
        return _against(plan, f"class '{wanted}' cannot be the name of a folder", wanted)
    if not linked and _source(inbox, due) is None:
        return _against(plan, "its file is gone", wanted)
    plan.link = wanted
    if wanted in linked:
        plan.unlink = tuple(one for one in linked if one != wanted)
    elif linked:
        plan.move, plan.unlink = linked[0], tuple(linked[1:])
    else:
        plan.make = True
    plan.correction = _correction(due, wanted, steps, wanted, doubted=False)
    return plan


def _correction(
    due: _Due, folder: str, steps: list[Correction], wanted: str | None, *, doubted: bool = True
) -> Correction | None:
    """The line that gives a picture the class that is wanted, None for no part; None if nothing is to be said.

    Args:
        due: the decision.
        folder: the class that its folder says.
        steps: the corrections in force.
        wanted: see above.
        doubted: whether a class that stays is worth a line, so that it is not listed as suspect again.
    """
    now, removed = _follow(folder, steps)
    blank = Correction(sha256=due.sha256, path=due.member or due.path or "", label=now)
    if wanted is None:
        return None if removed else replace(blank, remove=True)
    if now != wanted:
        return replace(blank, to=wanted)
    if not removed and (
        not doubted or any(now == one.to or (now == one.label and one.refused is not None) for one in steps)
    ):
        return None
    return replace(blank, refused="")


def _follow(label: str, steps: Iterable[Correction]) -> tuple[str, bool]:
    """The class that corrections give a picture whose folder says `label`, and whether they remove it."""
    for one in steps:
        if one.label != label or one.refused is not None:
            continue
        if one.remove:
            return label, True
        label = one.to or label
    return label, False


def _held(inbox: Inbox, due: _Due) -> bool:
    """Whether a folder of the project's own has the picture."""
    if due.member is None or due.member.startswith(recorded(inbox.folder, inbox.config.project) + "/"):
        return False
    return Path(located(due.member, inbox.config.project)).is_file()


def _source(inbox: Inbox, due: _Due) -> Path | None:
    """The file that holds its bytes."""
    paths = [Path(located(one, inbox.config.project)) for one in (due.path, due.member) if one]
    return next((path for path in paths if path.is_file()), None)


def _can_be_folder(class_name: str) -> bool:
    return "/" not in class_name and "\0" not in class_name and not class_name.startswith(".")


def _told(due: _Due, seen: str | None) -> bool:
    """Whether its author has decided again after being told of that conflict."""
    number, _, what = (due.told or "").partition(" ")
    return number.isdigit() and int(number) < due.seq and what == seen


def _against(plan: _Plan, message: str, seen: str | None) -> _Plan:
    plan.conflict, plan.seen = message, seen
    return plan


def _count(found: Takeover, plan: _Plan) -> None:
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


def _place(inbox: Inbox, plan: _Plan) -> None:
    """Make, move and remove links; repeated, it finds them done."""
    due = plan.due
    source = _source(inbox, due)
    names = {path.name for path in (inbox.folder / "labelled").glob(f"*/{due.sha256}.*")}
    ending = files.suffix(due.format) if due.format else (source.suffix.lower() if source else "")
    name = min(names, default=f"{due.sha256}{ending or '.jpg'}")
    if plan.link is not None and plan.move is not None:
        files.move_link(inbox.folder, plan.move, plan.link, name)
    elif plan.link is not None and plan.make and source is not None:
        files.link(source, inbox.folder, plan.link, name)
    for class_name in plan.unlink:
        files.unlink(inbox.folder, class_name, name)


def _settle(c: sqlite3.Connection, *, plans: Sequence[_Plan], newest: int) -> None:
    """Note what was taken over; a picture that was decided again meanwhile stays due."""
    for plan in plans:
        due = plan.due
        if plan.conflict is not None:
            c.execute(
                "UPDATE state SET told = ? WHERE picture = ? AND seq = ?",
                (f"{due.seq} {plan.seen}", due.picture, due.seq),
            )
            continue
        taken = None if due.kind is None or due.kind == "later" else due.seq
        c.execute(
            "UPDATE state SET taken = ?, taken_base = ?, taken_generation = ?, link = ?, told = NULL, "
            "pending = CASE WHEN seq = ? THEN 0 ELSE 1 END WHERE picture = ?",
            (taken, plan.before if taken else None, newest, plan.link, due.seq, due.picture),
        )
