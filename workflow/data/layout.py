"""Decide which folders are classes and which are parts of a set: train, val, test and their other usual names.

    CLASS/                         classes; the split is decided later, by content
    train/CLASS/  test/CLASS/      the folders decide the split; Train, training_set, val, validation … are understood
    … and val/CLASS/               the validation pictures; where there is no test/ they are the test pictures
    train/CLASS/                   one part alone: its classes
    dataset/train/CLASS/ …         the same one folder further down

Where a folder only might be a part, wf does not guess: a class called `train` would go unnoticed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from workflow.errors import DataError
from workflow.paths import PathOrAddress, within

_PART = re.compile(r"(?:(train(?:ing)?)|(test(?:ing)?)|(val(?:id(?:ation)?)?|eval|dev))(?:[ _-]?(?:set|data|images))?")
_KINDS = ("train", "test", "val")
_ENDING = re.compile(r"(?:[_.-]?\d+)?\.(?:tar|txt|lst|list)", re.IGNORECASE)  # train-000017.tar is a part of train
_DEPTH = 8  # folders in folders that are looked through for parts

Folders = Callable[[str], list[str]]
"""Gives the names of the sub-folders of a folder inside the root (`""` for the root itself), sorted."""


@dataclass(kw_only=True)
class Layout:
    """Where the class folders are."""

    places: list[tuple[str, str | None]]
    """Folders inside the root whose sub-folders are classes, with the split that they stand for, or None."""
    ignored: list[str] = field(default_factory=list)
    """Folders beside the parts, which are not used."""
    remarks: list[str] = field(default_factory=list)
    """Messages about names that were interpreted: other names than train/ and test/."""


def part(name: str) -> str | None:
    """`train`, `test` or `val` if a folder's name says so, else None."""
    match = _PART.fullmatch(name.strip().casefold())
    return next(kind for kind, group in zip(_KINDS, match.groups(), strict=True) if group) if match else None


def of_roots(roots: Sequence[PathOrAddress]) -> dict[PathOrAddress, str]:
    """The split of each root where the user names the parts themselves (`data/train data/val`), else nothing."""
    kinds = {root: part(_ENDING.sub("", _last(root))) for root in roots}
    splits = _splits(kinds.values())
    if len(splits) < 2 or None in kinds.values():
        return {}
    return {root: splits[kind] for root, kind in kinds.items() if kind is not None}


def _last(root: PathOrAddress) -> str:
    return root.rstrip("/").rpartition("/")[2] if isinstance(root, str) else root.resolve().name


def _splits(kinds: Collection[str | None]) -> dict[str, str]:
    """Kind -> split, for the kinds that there are; val/ are the validation pictures only beside train/ and test/."""
    if "train" not in kinds:
        return {}
    whole = {"train": "train", "val": "validation" if "test" in kinds else "test", "test": "test"}
    return {kind: split for kind, split in whole.items() if kind in kinds}


def find(
    root: PathOrAddress, folders: Folders, pictures: Callable[[str], int], classes: Collection[str] = ()
) -> Layout:
    """Find the class folders of a root that has sub-folders.

    Args:
        root: for messages.
        folders: lists sub-folders.
        pictures: counts the pictures that are directly in a folder inside the root.
        classes: names that are classes, whatever they look like.

    Raises:
        DataError: P03 folders may be classes or parts, or parts have no class folders.
    """
    known = {_plain(name) for name in classes}
    inside = ""
    for _ in range(_DEPTH):
        names = folders(inside)
        parts = {name: kind for name in names if _plain(name) not in known and (kind := part(name))}
        if found := _parts(_Place(root, inside), names, parts, folders, pictures):
            return found
        if len(names) != 1 or _plain(names[0]) in known:
            break
        inside = _join(inside, names[0])
    return Layout(places=[("", None)], remarks=_alike(root, folders("") if inside else names, folders))


def _alike(root: PathOrAddress, classes: Sequence[str], folders: Folders) -> list[str]:
    """Classes that all hold the same sub-folders may be parts of a set by other names, or years."""
    inner = folders(classes[0])
    if len(classes) < 2 or len(inner) < 2 or any(folders(name) != inner for name in classes[1:]):
        return []
    named, below = _some(classes), _some(inner)
    return [
        f"the classes are {named}, which all hold {below}; if those are the classes: "
        f"wf prepare {' '.join(str(within(root, name)) for name in classes)}"
    ]


def _some(names: Sequence[str]) -> str:
    return ", ".join([*names[:3], *(["…"] if len(names) > 3 else [])])


@dataclass(frozen=True)
class _Place:
    root: PathOrAddress
    inside: str

    def __str__(self) -> str:
        return str(within(self.root, self.inside) if self.inside else self.root)


def _parts(
    place: _Place, names: Sequence[str], parts: dict[str, str], folders: Folders, pictures: Callable[[str], int]
) -> Layout | None:
    """The layout if some sub-folders of a place are parts of a set; None if they are classes."""
    below = {name: folders(_join(place.inside, name)) for name in parts}
    whole = {name: kind for name, kind in parts.items() if below[name]}
    others = [name for name in names if name not in whole]
    if not whole:
        _check_flat(place, names, parts, pictures)
        return None
    by_kind: dict[str, list[str]] = {}
    for name, kind in whole.items():
        by_kind.setdefault(kind, []).append(name)
    twice = next((found for found in by_kind.values() if len(found) > 1), None)
    if twice:
        raise _unclear(place, f"'{twice[0]}' and '{twice[1]}' are the same part")
    if others and not {"train", "test"} <= set(whole):  # these two names are parts, whatever is beside them
        _check_others(place, whole, others, below, folders)
        if len(whole) == 1:
            return None
    splits = _splits(by_kind)
    alone = next(kind for kind in _KINDS if kind in by_kind)
    taken: dict[str, str | None] = dict(splits) if len(splits) > 1 else {alone: None}
    places = [(_through(_join(place.inside, by_kind[kind][0]), kind, folders), split) for kind, split in taken.items()]
    spare = [name for name, kind in whole.items() if kind not in taken]
    return Layout(places=places, ignored=[*others, *spare], remarks=_remarks(place, places))


def _through(inside: str, kind: str, folders: Folders) -> str:
    """Down from training_set/ to training_set/training_set/, as some archives have it."""
    for _ in range(_DEPTH):
        names = folders(inside)
        if len(names) != 1 or part(names[0]) != kind or not folders(_join(inside, names[0])):
            break
        inside = _join(inside, names[0])
    return inside


def _check_flat(place: _Place, names: Sequence[str], parts: dict[str, str], pictures: Callable[[str], int]) -> None:
    """Pictures that are in train/ and test/ themselves have no class."""
    if len(parts) < len(names) or "train" not in parts.values() or len(set(parts.values())) < 2:
        return
    if all(pictures(_join(place.inside, name)) for name in parts):
        listed = " and ".join(f"'{name}'" for name in names)
        raise DataError(
            f"{listed} in {place} hold pictures but no class folders",
            hint=f"sort them into {place}/{names[0]}/CLASS/ (or, if they are classes, list them under `classes:`)",
            fault="P03",
        )


def _check_others(
    place: _Place, whole: dict[str, str], others: list[str], below: dict[str, list[str]], folders: Folders
) -> None:
    """Class folders and parts side by side: the names inside tell which they are, or nothing does."""
    inner = {_plain(name) for name in whole for name in below[name]}
    for other in others:
        here = {_plain(other), *map(_plain, folders(_join(place.inside, other)))}
        if here & inner:
            name = next(name for name in whole if here & set(map(_plain, below[name])))
            same = sorted(here & set(map(_plain, below[name])))[0]
            raise _unclear(place, f"'{same}' is in '{name}', and it is (or is in) '{other}' beside it")


def _unclear(place: _Place, why: str) -> DataError:
    return DataError(
        f"classes and parts of a set cannot be told apart in {place}: {why}",
        hint="keep CLASS/ folders alone, or only train/CLASS/ and test/CLASS/; a class with such a name goes "
        "under `classes:` in the settings",
        fault="P03",
    )


def _remarks(place: _Place, places: list[tuple[str, str | None]]) -> list[str]:
    if len(places) == 1:
        return [f"classes taken from {within(place.root, places[0][0])}, which has no other part beside it"]
    plain = ["train", "val", "test"] if len(places) == len(_KINDS) else ["train", "test"]
    if [inside for inside, _ in places] == plain:
        return []
    (train, _), *others = [(within(place.root, inside), split or "") for inside, split in places]
    return [", ".join([f"{train} used as training pictures", *(f"{one} as {split} pictures" for one, split in others)])]


def _join(inside: str, name: str) -> str:
    return f"{inside}/{name}" if inside else name


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
