"""What a take-over has to do about one picture: the decision, compared with patches and links."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from workflow.data.corrections import Correction
from workflow.paths import located, recorded

if TYPE_CHECKING:
    from workflow.inbox.inbox import Inbox

_SET_ASIDE = "is excluded"


class Due(NamedTuple):
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
    """The decision that the last take-over took over, or was about to when it was interrupted."""
    taken_kind: str | None
    taken_class: str | None
    taken_base: str | None
    """The class before it."""
    told: str | None
    member: str | None
    """Its path in the newest generation that holds it; None if none does."""
    known: str | None
    """Its class there."""


@dataclass(kw_only=True)
class Plan:
    """What to do about one picture."""

    due: Due
    correction: Correction | None = None
    unlink: tuple[str, ...] = ()
    """Classes that lose the link."""
    move: str | None = None
    """The class that the link comes from."""
    link: str | None = None
    """The class that the link is in afterwards."""
    make: bool = False
    """Whether that link must be made."""
    before: str | None = None
    """The class before anything was decided here, to which an undo leads back."""
    after: str | None = None
    """The class that the picture then has; None for none."""
    conflict: str | None = None
    seen: str | None = None
    """The class that the decision conflicts with."""

    @property
    def taken(self) -> int | None:
        """The decision that is taken over; None where one is undone."""
        return None if self.due.kind is None or self.due.kind == "later" else self.due.seq


def decide(inbox: Inbox, due: Due, classes: Sequence[str], steps: list[Correction], linked: list[str]) -> Plan:
    """The plan for one decision.

    Args:
        inbox: whose settings say where files are.
        due: the decision.
        classes: of the newest generation.
        steps: the corrections of the picture that are in force.
        linked: classes in inbox/labelled that have a file of it.
    """
    held = _held(inbox, due)
    folder = due.known if held else linked[0] if linked else None
    now, removed = (None, False) if folder is None else _follow(folder, steps)
    plan = Plan(due=due, before=due.taken_base if due.taken is not None else due.base)
    remove = due.kind == "remove"
    wanted = due.class_name
    if wanted is None and held and not remove:  # undone, of a picture that was new before the first decision
        wanted = due.known
    plan.after = wanted
    if wanted is not None and wanted not in classes:
        return _against(plan, f"there is no class '{wanted}' any more", wanted)
    seen = _SET_ASIDE if removed else now
    expected = {due.base, _SET_ASIDE if remove else wanted}
    if due.taken is not None:
        expected.add(_SET_ASIDE if due.taken_kind == "remove" else due.taken_class)
    if folder is not None and seen not in expected and not _told(due, seen):
        said = _SET_ASIDE if removed else f"is '{now}'"
        return _against(plan, f"it {said} by a newer correction or a moved file; decide again to overrule it", seen)
    if held or wanted is None:
        plan.unlink = tuple(linked)
        if held:
            doubted = due.kind in ("label", "keep")
            plan.correction = _correction(due, due.known or "", steps, wanted, doubted=doubted)
        return plan
    if not _can_be_folder(wanted):
        return _against(plan, f"class '{wanted}' cannot be the name of a folder", wanted)
    if not linked and source_of(inbox, due) is None:
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
    due: Due, folder: str, steps: list[Correction], wanted: str | None, *, doubted: bool
) -> Correction | None:
    """The line that gives a picture the wanted class, None to exclude it; None if no line is needed.

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


def _held(inbox: Inbox, due: Due) -> bool:
    """Whether one of the project's own folders has the picture."""
    if due.member is None or due.member.startswith(recorded(inbox.folder, inbox.config.project) + "/"):
        return False
    return Path(located(due.member, inbox.config.project)).is_file()


def source_of(inbox: Inbox, due: Due) -> Path | None:
    """The file that holds its bytes."""
    paths = [Path(located(one, inbox.config.project)) for one in (due.path, due.member) if one]
    return next((path for path in paths if path.is_file()), None)


def _can_be_folder(class_name: str) -> bool:
    return "/" not in class_name and "\0" not in class_name and not class_name.startswith(".")


def _told(due: Due, seen: str | None) -> bool:
    """Whether its author has decided again after that conflict was reported."""
    number, _, what = (due.told or "").partition(" ")
    return number.isdigit() and int(number) < due.seq and what == seen


def _against(plan: Plan, message: str, seen: str | None) -> Plan:
    plan.conflict, plan.seen = message, seen
    return plan
