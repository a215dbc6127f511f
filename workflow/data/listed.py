"""Folders of what is listed as a whole: a tar, or objects in a store."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from workflow.data.found import Folder, Scan
from workflow.data.names import Names
from workflow.data.sniff import ENDINGS
from workflow.paths import PathOrAddress


class Inner(NamedTuple):
    """The files of one folder."""

    inside: str
    """The folder, with slashes; empty for the outermost."""
    names: Names
    tickets: Names
    """Of each, see `sources.reading`."""


class Listed:
    """Finds folders as `walking.Walk` does, among files that are listed with their whole names.

    Args:
        found: gets the folders that are collected.
        root: what was listed.
        files: the name of each file, with slashes, and its ticket.
    """

    def __init__(self, found: Scan, root: PathOrAddress, files: Iterable[tuple[str, str]]) -> None:
        self._found, self._root = found, root
        self._inner: dict[str, Inner] = {}
        self._below: dict[str, set[str]] = {}
        for name, ticket in files:
            inside, _, last = name.rpartition("/")
            if inside not in self._inner:
                self._inner[inside] = Inner(inside, Names(), Names())
                self._know(inside)
            inner = self._inner[inside]
            inner.names.append(last)
            inner.tickets.append(ticket)

    def _know(self, inside: str) -> None:
        while inside:
            inside, _, last = inside.rpartition("/")
            below = self._below.setdefault(inside, set())
            if last in below:
                break
            below.add(last)

    def folders(self, root: PathOrAddress, inside: str) -> list[str]:
        """Names of the sub-folders, sorted."""
        del root
        return sorted(self._below.get(inside, ()))

    def pictures(self, root: PathOrAddress, inside: str) -> int:
        """How many files of a folder are named as pictures."""
        del root
        inner = self._inner.get(inside)
        return 0 if inner is None else sum(name.lower().endswith(ENDINGS) for name in inner.names)

    def collect(self, root: PathOrAddress, inside: str, class_name: str, split: str | None) -> None:
        """Take the files of a folder and of all folders below it."""
        if inside in self._inner:
            self.take(self._inner[inside], class_name, split)
        for name in self.folders(root, inside):
            self.collect(root, f"{inside}/{name}" if inside else name, class_name, split)

    def take(self, inner: Inner, class_name: str, split: str | None) -> None:
        """Take some files."""
        self._found.folders.append(
            Folder(
                root=self._root,
                inside=inner.inside,
                class_name=class_name,
                split=split,
                names=inner.names,
                tickets=inner.tickets if inner.tickets.text.strip(b"\0") else None,
            )
        )
