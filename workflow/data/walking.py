"""List folders of this machine. No file is opened; each is checked with lstat."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path

from workflow.data.found import Folder, Scan, Skipped, printable
from workflow.data.names import Names
from workflow.data.sniff import ENDINGS
from workflow.data.sources.files import is_litter
from workflow.paths import PathOrAddress


class Walk:
    """Lists each folder once, by the rules for links, hidden files and things that are not files."""

    def __init__(self, found: Scan, follow_symlinks: bool, inbox: Path | None) -> None:
        self.found, self._inbox = found, inbox
        self._follow = follow_symlinks
        self._visited: set[tuple[int, int]] = set()

    def folders(self, root: PathOrAddress, inside: str) -> list[str]:
        """Names of the sub-folders, sorted."""
        return sorted(entry.name for entry in self._entries(Path(root, inside)) if self._is_folder(entry))

    def pictures(self, root: PathOrAddress, inside: str) -> int:
        """How many files of a folder are named as pictures."""
        return sum(entry.name.lower().endswith(ENDINGS) for entry in self._entries(Path(root, inside)))

    def collect(self, root: PathOrAddress, inside: str, class_name: str, split: str | None) -> None:
        """Take the files of a folder and of all folders below it."""
        pending = [inside]
        while pending:
            here = pending.pop()
            if not self._first_visit(Path(root, here)):
                continue
            names: list[str] = []
            below: list[str] = []
            for entry in self._entries(Path(root, here), count=True):
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
