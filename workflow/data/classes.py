"""Class names and their numbers, which are append-only: a number never changes its class between generations."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from workflow.data.found import Folder
from workflow.errors import DataError, UsageError, did_you_mean
from workflow.generations import Record
from workflow.paths import within


@dataclass(frozen=True, kw_only=True)
class Classes:
    """The classes of a generation."""

    names: tuple[str, ...]
    """In the order of their numbers."""
    active: tuple[str, ...]
    """Those that have pictures; the others keep their number for the nets that know them."""
    new: tuple[str, ...] = ()
    """Those that the generation before did not have; empty for a first generation."""
    dropped: tuple[str, ...] = ()
    renamed: Mapping[str, str]
    warnings: tuple[str, ...] = ()


def arrange(
    found: Sequence[str],
    *,
    configured: Sequence[str] | None = None,
    previous: Record | None = None,
    drop: Collection[str] = (),
    rename: Mapping[str, str] | None = None,
    folders: Sequence[Folder] = (),
) -> Classes:
    """Number the classes: as the settings say, else as in the generation before, new ones appended by name.

    Args:
        found: the folders' classes.
        configured: `classes:` of the settings, which win over everything.
        previous: the record of the generation before.
        drop: classes to leave out; one that was there before keeps its number, without pictures.
        rename: old name -> new name, for classes of the generation before and for folders.
        folders: what was found, for the hint where the classes are one folder further down.

    Raises:
        UsageError: `drop` or `rename` speak of a class that is not there.
        DataError: P04 fewer than two classes, P37 a class of the generation before is gone, or folders and settings
            disagree.
    """
    rename = dict(rename or {})
    before = previous.classes if previous else ()
    _check_flags(found, before, drop, rename)
    present = dict.fromkeys(rename.get(name, name) for name in found)
    active = [name for name in present if name not in drop]
    old = [rename.get(name, name) for name in before]
    warnings: list[str] = []
    if configured is not None:
        names = list(configured)
        _check_configured(names, active, drop)
    else:
        if previous is not None:
            _check_gone(previous, old, active, drop)
        names = old + in_order(set(active) - set(old))
    if len(active) < 2:
        listed = ", ".join(f"'{name}'" for name in active) or "none"
        raise DataError(
            f"only one class ({listed}); a classifier needs at least 2"
            if active
            else "no class is left; a classifier needs at least 2",
            hint=_further_down(folders) or "add a folder with pictures of something else",
            fault="P04",
        )
    if previous is not None:
        warnings += _numbers_changed(previous, old, names)
    new = tuple(name for name in names if name not in old) if previous else ()
    warnings += [f"new class '{name}' gets number {names.index(name)}" for name in new]
    return Classes(
        names=tuple(names),
        active=tuple(name for name in names if name in set(active)),
        new=new,
        dropped=tuple(sorted(drop)),
        renamed=rename,
        warnings=tuple(warnings),
    )


def in_order(names: Collection[str]) -> list[str]:
    """Sorted by name; by value if all are numbers, as labels often are, so that 0 to 9 keep their numbers."""
    numbers = all(name.isdecimal() for name in names)
    return sorted(names, key=lambda name: (int(name) if numbers else 0, name))


def _further_down(folders: Sequence[Folder]) -> str | None:
    """The command for images/dataset/CLASS/, where images/ was given."""
    below = {
        folder.inside.split("/")[1]: within(folder.root, folder.inside.split("/")[0])
        for folder in folders
        if "/" in folder.inside
    }
    if len(below) < 2 or len(set(below.values())) > 1 or any(folder.split for folder in folders):
        return None
    named = list(below)[:3] + ["…"] * (len(below) > 3)
    return f"if the classes are {', '.join(named)}: wf prepare {next(iter(below.values()))}"


def of_classes(folders: Sequence[Folder], classes: Classes) -> list[Folder]:
    """The folders that take part, under the names that their classes have now."""
    named = [
        replace(folder, class_name=classes.renamed.get(folder.class_name, folder.class_name)) for folder in folders
    ]
    return [folder for folder in named if folder.class_name in classes.active]


def _check_flags(found: Sequence[str], before: Sequence[str], drop: Collection[str], rename: Mapping[str, str]) -> None:
    known = tuple(dict.fromkeys([*found, *before]))
    for flag, names in (("--drop-class", drop), ("--rename", rename)):
        for name in names:
            if name not in known:
                raise UsageError(f"{flag}: unknown class '{name}'", hint=did_you_mean(name, known), fault="P37")
    for old, new in rename.items():
        taken = new in before or list(rename.values()).count(new) > 1
        if taken or not new.strip():
            raise UsageError(f"--rename {old}={new}: '{new}' is a class already", fault="P37")


def _check_configured(names: Sequence[str], active: Sequence[str], drop: Collection[str]) -> None:
    if len(set(names)) < len(names):
        raise UsageError("`classes:` in the settings lists a class twice")
    for name in active:
        if name not in names:
            hint = f"add it to `classes:` in the settings, or --drop-class {name}"
            raise DataError(f"folder '{name}' is not listed under `classes:` in the settings", hint=hint)
    for name in names:
        if name not in active and name not in drop:
            hint = did_you_mean(name, tuple(active)) or f"--drop-class {name} keeps its number without pictures"
            raise DataError(f"class '{name}' in the settings has no folder", hint=hint)


def _check_gone(previous: Record, old: Sequence[str], active: Sequence[str], drop: Collection[str]) -> None:
    """P37: a class is gone; one that had no pictures before either was dropped on purpose."""
    for number, (name, now) in enumerate(zip(previous.classes, old, strict=True)):
        pictures = sum(counts.get(name, 0) for counts in previous.counts.values())
        if now in active or now in drop or name in drop or not pictures:
            continue
        new = sorted(set(active) - set(old))
        other = new[0] if len(new) == 1 else "NEWNAME"
        raise DataError(
            f"class '{name}' (number {number}) of generation {previous.number} is gone",
            hint=f"--drop-class {name} or --rename {name}={other}",
            fault="P37",
        )


def _numbers_changed(previous: Record, old: Sequence[str], names: Sequence[str]) -> list[str]:
    warnings = []
    for number, name in enumerate(old):
        if name not in names:
            warnings.append(f"class '{name}' (number {number} in generation {previous.number}) has no number now")
        elif names.index(name) != number:
            warnings.append(
                f"class '{name}' was number {number} in generation {previous.number} and is {names.index(name)} "
                "now: their nets cannot be compared"
            )
    return warnings
