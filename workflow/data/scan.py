"""Labelled folders -> the files of each class. No file is opened; each is checked with lstat.

Which folders are classes, and which are parts of a set, is found out by `layout`.

Names are kept as the file system has them: bytes that are not UTF-8 become lone surrogates (surrogateescape).
"""

from __future__ import annotations

import os
import stat
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from workflow.data import layout
from workflow.data.names import Names
from workflow.data.sniff import ENDINGS
from workflow.data.sources.files import is_litter
from workflow.errors import DataError, UsageError, did_you_mean
from workflow.words import PARTS, counted


@dataclass(frozen=True, kw_only=True)
class Folder:
    """The regular files of one folder, which all belong to one class."""

    root: Path
    """The folder that the user named."""
    inside: str
    """This folder, relative to `root`, with slashes: `train/cat`."""
    class_name: str
    split: str | None
    """One of `split.SPLITS` where the folders say it, else None."""
    names: Names
    """Sorted."""


@dataclass(frozen=True, kw_only=True)
class Skipped:
    """A file that does not become a record, and why."""

    path: str
    reason: str
    """It follows the path in a sentence: `is truncated`."""
    kind: str
    """One or two words to count by: `truncated`."""
    bad: bool = True
    """Counts towards the share of unreadable files that stops a preparation."""


@dataclass(kw_only=True)
class Scan:
    """What the folders hold."""

    folders: list[Folder] = field(default_factory=list)
    classes: tuple[str, ...] = ()
    """Sorted by name."""
    skipped: list[Skipped] = field(default_factory=list)
    forbidden: list[str] = field(default_factory=list)
    """Folders that may not be listed."""
    ignored: int = 0
    """Hidden files and litter of operating systems."""
    warnings: list[str] = field(default_factory=list)

    @property
    def files(self) -> int:
        """How many files will be read."""
        return sum(len(folder.names) for folder in self.folders)


def scan(
    roots: Sequence[Path],
    *,
    follow_symlinks: bool = False,
    classes: Collection[str] = (),
    project: Path = Path(),
    inbox: Path | None = None,
) -> Scan:
    """Find the classes of some folders and the files of each class.

    Args:
        roots: the folders; classes of one name in several of them are one class.
        follow_symlinks: enter folders that are symbolic links, each real folder once. Links to files are always read.
        classes: names that are classes even where they look like parts of a set: `train`.
        project: the project folder, which is not suggested as a folder of classes.
        inbox: the root whose class folders wf named itself, as the classes are called, whatever the form of an accent
            in the user's own folders.

    Raises:
        UsageError: P01 a folder is missing, P02 it is a file.
        DataError: P03 no class folders, or folders that may be classes or parts of a set.
            P25 two names that differ only by case or by the form of an accent.
    """
    found = Scan()
    walk = _Walk(found, follow_symlinks, inbox)
    names: dict[str, str] = {}
    distinct = list(dict.fromkeys(Path(root) for root in roots))
    splits = layout.of_roots(distinct)
    for root, side in splits.items():
        found.warnings.append(f"{root} used as {PARTS[side]} pictures")
    for root in distinct:
        _check_root(root)
        for inside, within in _layout(walk, root, classes, project):
            split = within or splits.get(root)
            for entry in walk.folders(root, inside):
                name = _class_name(entry, names, root, own=root != inbox)
                walk.collect(root, f"{inside}/{entry}" if inside else entry, name, split)
    found.classes = tuple(sorted({folder.class_name for folder in found.folders}))
    return found


def _check_root(root: Path) -> None:
    if root.is_dir():
        return
    if root.exists():
        hint = "unzip it first" if root.suffix.lower() in {".zip", ".tar", ".gz", ".xz", ".7z", ".rar"} else None
        raise UsageError(f"{root} is a file; expected a folder with one sub-folder per class", hint=hint, fault="P02")
    beside = root.parent if root.parent.is_dir() else Path()
    folders = [path.name for path in beside.iterdir() if path.is_dir() and not path.name.startswith(".")]
    hint = did_you_mean(root.name, sorted(folders))
    raise UsageError(f"no such folder: {root}", hint=hint, fault="P01")


def _layout(walk: _Walk, root: Path, classes: Collection[str], project: Path) -> list[tuple[str, str | None]]:
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
        walk.found.warnings.append(f"ignoring {', '.join(found.ignored)} beside {beside} in {root}")
    walk.found.warnings += found.remarks
    if loose:
        walk.found.warnings.append(f"{_lie(loose)} directly in {root}, in no class")
    return found.places


def _where_to(root: Path, project: Path) -> str:
    """A hint: to name the folder above if this one is a class in it; else that each class needs a folder."""
    above = root.parent
    if above not in (project, root) and any(one.is_dir() and one.name != root.name for one in above.iterdir()):
        return f"if {root.name} is itself a class, name {above}; otherwise put its pictures into {root}/CLASS/"
    return f"put the pictures into {root}/CLASS/"


def _lie(images: int) -> str:
    return f"{counted(images, 'image')} {'lies' if images == 1 else 'lie'}"


def _class_name(entry: str, names: dict[str, str], root: Path, *, own: bool) -> str:
    """The class named by a folder, checked against all names so far; `own` is the user's own folder."""
    name = unicodedata.normalize("NFC", entry)
    if name != name.strip() or any(unicodedata.category(char) in ("Cc", "Cs") for char in name):
        raise DataError(
            f"folder {entry!r} in {root} cannot name a class: it must fit on one line of labels.txt",
            hint="rename the folder, without control characters, in UTF-8",
            fault="P22",
        )
    other = names.setdefault(name.casefold(), entry)
    if other != entry and (own or unicodedata.normalize("NFC", other) != name):
        what = "case" if unicodedata.normalize("NFC", other) != name else "the form of an accent (NFC, NFD)"
        raise DataError(f"classes '{other}' and '{entry}' differ only by {what}", hint="rename one", fault="P25")
    return name


class _Walk:
    """Lists each folder once, by the rules for links, hidden files and things that are not files."""

    def __init__(self, found: Scan, follow_symlinks: bool, inbox: Path | None) -> None:
        self.found, self._inbox = found, inbox
        self._follow = follow_symlinks
        self._visited: set[tuple[int, int]] = set()

    def folders(self, root: Path, inside: str) -> list[str]:
        """Names of the sub-folders, sorted."""
        return sorted(entry.name for entry in self._entries(root / inside) if self._is_folder(entry))

    def pictures(self, root: Path, inside: str) -> int:
        """How many files of a folder are named as pictures."""
        return sum(entry.name.lower().endswith(ENDINGS) for entry in self._entries(root / inside))

    def collect(self, root: Path, inside: str, class_name: str, split: str | None) -> None:
        """Take the files of a folder and of all folders below it."""
        pending = [inside]
        while pending:
            here = pending.pop()
            if not self._first_visit(root / here):
                continue
            names: list[str] = []
            below: list[str] = []
            for entry in self._entries(root / here, count=True):
                if entry.is_file(follow_symlinks=False):  # no system call: the directory listing says it
                    names.append(entry.name)
                elif entry.is_dir(follow_symlinks=False):
                    below.append(entry.name)
                else:
                    self._odd(entry, names, below)
            self.found.folders.append(
                Folder(root=root, inside=here, class_name=class_name, split=split, names=Names(sorted(names)))
            )
            pending.extend(f"{here}/{name}" for name in sorted(below, reverse=True))

    def _odd(self, entry: os.DirEntry[str], names: list[str], below: list[str]) -> None:
        """A link, or something that must not even be opened: a FIFO would hang for ever."""
        try:
            mode = entry.stat().st_mode
        except OSError:
            reason, kind = "is a broken symbolic link, not a regular file", "broken link"
        else:
            if stat.S_ISREG(mode):
                names.append(entry.name)
                return
            if stat.S_ISDIR(mode):
                if self._follow:
                    below.append(entry.name)
                else:
                    self._not_followed(entry)
                return
            reason, kind = "is not a regular file", "not a regular file"
        self.found.skipped.append(Skipped(path=entry.path, reason=reason, kind=kind))

    def _is_folder(self, entry: os.DirEntry[str]) -> bool:
        if entry.is_dir(follow_symlinks=False):
            return True
        if not entry.is_symlink() or not entry.is_dir():
            return False
        if not self._follow:
            self._not_followed(entry)
        return self._follow

    def _not_followed(self, entry: os.DirEntry[str]) -> None:
        """Log it once, however often a folder is listed."""
        text = f"not following symlink {printable(entry.path)} (--follow-symlinks would)"
        if text not in self.found.warnings:
            self.found.warnings.append(text)

    def _first_visit(self, folder: Path) -> bool:
        """Whether a folder is entered for the first time; only links can lead to it again."""
        if not self._follow:
            return True
        status = folder.stat()
        key = (status.st_dev, status.st_ino)
        known = key in self._visited
        self._visited.add(key)
        return not known

    def _entries(self, folder: Path, *, count: bool = False) -> Iterable[os.DirEntry[str]]:
        try:
            with os.scandir(folder) as entries:
                everything = list(entries)
        except FileNotFoundError:
            if self._inbox is not None and self._inbox in folder.parents:  # a take-over has just emptied it
                return []
            raise
        except PermissionError:
            if str(folder) not in self.found.forbidden:
                self.found.forbidden.append(str(folder))
            return []
        wanted = [entry for entry in everything if not is_litter(entry.name)]
        if count:
            self.found.ignored += len(everything) - len(wanted)
        return wanted


def printable(text: str) -> str:
    """A path as it can be shown on a terminal: control characters and lone surrogates are written as escapes."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
