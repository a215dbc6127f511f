"""Labelled folders and tars -> the files of each class. No picture is opened.

Which folders are classes, and which are parts of a set, is found out by `layout`.

Names are kept as the file system has them: bytes that are not UTF-8 become lone surrogates (surrogateescape).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Protocol

from workflow.data import layout, list_files
from workflow.data.found import Scan
from workflow.data.listed import Listed
from workflow.data.shards import Shard
from workflow.data.sources import objects, tars
from workflow.data.walking import Walk
from workflow.errors import DataError, UsageError, did_you_mean
from workflow.paths import PathOrAddress, path_or_address
from workflow.words import PARTS, counted


def scan(
    roots: Sequence[PathOrAddress],
    *,
    lists: Sequence[Path] = (),
    follow_symlinks: bool = False,
    classes: Sequence[str] = (),
    project: Path = Path(),
    inbox: Path | None = None,
) -> Scan:
    """Find the classes of some folders and tars, and the files of each class.

    Args:
        roots: the folders, tars and addresses; classes of one name in several of them are one class. A folder that
            holds tars and no folders stands for those.
        lists: lists of pictures with labels.
        follow_symlinks: enter folders that are symbolic links, each real folder once. Links to files are always read.
        classes: names that are classes even where they look like parts of a set: `train`. A label in a tar may be the
            number of one.
        project: the project folder, which is not suggested as a folder of classes.
        inbox: the root whose class folders wf named itself, as the classes are called, whatever the form of an accent
            in the user's own folders.

    Raises:
        UsageError: P01 a folder is missing, P02 it is a file.
        DataError: P03 no class folders, or folders that may be classes or parts of a set. P40 a tar is damaged.
            P41 a line of a list is wrong. P25 two names that differ only by case or by the form of an accent.
    """
    found = Scan()
    known: dict[str, str] = {}
    here = Walk(found, follow_symlinks, inbox)
    distinct = [one for root in dict.fromkeys(map(path_or_address, roots)) for one in _shards(root, found.warnings)]
    splits = layout.of_roots([*distinct, *lists])
    found.warnings += _sides(splits)
    for root in distinct:
        _check_root(root)
        walk: Walker = here
        if isinstance(root, str):
            walk = Listed(found, root, objects.listed(root))
        elif _is_tar(root):
            walk = shard = Shard(found, root)
            if shard.labelled:
                checked = partial(_class_name, known=known, root=root, own=True, what="label")
                shard.collect_labelled(classes, checked, splits.get(root))
                continue
        for inside, within in _layout(walk, root, classes, project, found.warnings):
            split = within or splits.get(root)
            for entry in walk.folders(root, inside):
                name = _class_name(entry, known, root, own=root != inbox)
                walk.collect(root, f"{inside}/{entry}" if inside else entry, name, split)
    for source in dict.fromkeys(lists):
        checked = partial(_class_name, known=known, root=source, own=True, what="label")
        list_files.collect(found, source, classes, checked, splits.get(source))
    found.classes = tuple(sorted({folder.class_name for folder in found.folders}))
    return found


class Walker(Protocol):
    """Lists folders of a root, on a disk or in a tar."""

    def folders(self, root: PathOrAddress, inside: str) -> list[str]:
        """Names of the sub-folders, sorted."""

    def pictures(self, root: PathOrAddress, inside: str) -> int:
        """How many files of a folder are named as pictures."""

    def collect(self, root: PathOrAddress, inside: str, class_name: str, split: str | None) -> None:
        """Take the files of a folder and of all folders below it."""


def _is_tar(root: PathOrAddress) -> bool:
    return isinstance(root, Path) and tars.is_tar(root.name) and root.is_file()


def _shards(root: PathOrAddress, warnings: list[str]) -> list[PathOrAddress]:
    """The tars of a folder that holds no other folders, in its place."""
    if isinstance(root, str):
        return [objects.checked(root)]
    if not root.is_dir():
        return [root]
    below = [path for path in sorted(root.iterdir()) if not path.name.startswith(".")]
    shards: list[PathOrAddress] = [path for path in below if _is_tar(path)]
    if shards and any(path.is_dir() for path in below):
        warnings.append(
            f"{counted(len(shards), 'tar')} in {root} not read, since folders are beside: name them to use them"
        )
        return [root]
    return shards or [root]


def _sides(splits: dict[PathOrAddress, str]) -> list[str]:
    """Which roots and lists are parts of a set; of tars, of which there may be many, the first."""
    shards = [root for root in splits if tars.is_tar(str(root))]
    said = [f"{root} used as {PARTS[side]} pictures" for root, side in splits.items() if root not in shards]
    for side in dict.fromkeys(splits[root] for root in shards):
        first, *others = (root for root in shards if splits[root] == side)
        more = f" and {counted(len(others), 'more tar')}" if others else ""
        said.append(f"{first}{more} used as {PARTS[side]} pictures")
    return said


def _check_root(root: PathOrAddress) -> None:
    if isinstance(root, str) or root.is_dir() or _is_tar(root):
        return
    if root.exists():
        hint = "unzip it first" if root.suffix.lower() in {".zip", ".gz", ".xz", ".7z", ".rar"} else None
        raise UsageError(f"{root} is a file; expected a folder with one sub-folder per class", hint=hint, fault="P02")
    beside = root.parent if root.parent.is_dir() else Path()
    folders = [path.name for path in beside.iterdir() if path.is_dir() and not path.name.startswith(".")]
    hint = did_you_mean(root.name, sorted(folders))
    raise UsageError(f"no such folder: {root}", hint=hint, fault="P01")


def _layout(
    walk: Walker, root: PathOrAddress, classes: Sequence[str], project: Path, warnings: list[str]
) -> list[tuple[str, str | None]]:
    """The folders whose sub-folders are classes, with the split that they stand for."""
    loose = walk.pictures(root, "")
    if not walk.folders(root, ""):
        message = f"{_lie(loose)} directly in {root}, none in a class folder"
        if not loose:
            message = f"no class folders in {root}"
        raise DataError(message, hint=_where_to(root, project), fault="P03")
    found = layout.find(root, partial(walk.folders, root), partial(walk.pictures, root), classes)
    if found.ignored:
        beside = " and ".join(Path(inside).name for inside, _ in found.places)
        warnings.append(f"ignoring {', '.join(found.ignored)} beside {beside} in {root}")
    warnings += found.remarks
    if loose:
        warnings.append(f"{_lie(loose)} directly in {root}, in no class")
    return found.places


def _where_to(root: PathOrAddress, project: Path) -> str:
    """A hint: to name the folder above if this one is a class in it; else that each class needs a folder."""
    if _is_tar(root):
        return "pack them as CLASS/NAME, or with a label beside each: 0001.cls, or 0001.json with `label`"
    if isinstance(root, str):
        return f"put the pictures into {root}/CLASS/"
    above = root.parent
    if above not in (project, root) and any(one.is_dir() and one.name != root.name for one in above.iterdir()):
        return f"if {root.name} is itself a class, name {above}; otherwise put its pictures into {root}/CLASS/"
    return f"put the pictures into {root}/CLASS/"


def _lie(images: int) -> str:
    return f"{counted(images, 'image')} {'lies' if images == 1 else 'lie'}"


def _class_name(entry: str, known: dict[str, str], root: PathOrAddress, *, own: bool, what: str = "folder") -> str:
    """The class named by a folder or label, checked against all names so far; `own` is the user's own folder."""
    name = unicodedata.normalize("NFC", entry)
    if name != name.strip() or any(unicodedata.category(char) in ("Cc", "Cs") for char in name):
        raise DataError(
            f"{what} {entry!r} in {root} cannot name a class: it must fit on one line of labels.txt",
            hint=f"rename the {what}, without control characters, in UTF-8",
            fault="P22",
        )
    other = known.setdefault(name.casefold(), entry)
    if other != entry and (own or unicodedata.normalize("NFC", other) != name):
        what = "case" if unicodedata.normalize("NFC", other) != name else "the form of an accent (NFC, NFD)"
        raise DataError(f"classes '{other}' and '{entry}' differ only by {what}", hint="rename one", fault="P25")
    return name
