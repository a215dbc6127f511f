"""Folders of something that is listed as a whole: a tar."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from workflow.data.names import Names
from workflow.data.sniff import ENDINGS


class Inner(NamedTuple):
    """The files of one folder."""

    inside: str
    """The folder, with slashes; empty for the outermost."""
    names: Names
    tickets: Names
    """Of each, see `sources.reading`."""


class Listed:
    """Finds folders and their files among files that are listed with their whole names.

    Args:
        files: the name of each, with slashes, and its ticket.
    """

    def __init__(self, files: Iterable[tuple[str, str]]) -> None:
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

    def folders(self, inside: str) -> list[str]:
        """Names of the sub-folders, sorted."""
        return sorted(self._below.get(inside, ()))

    def pictures(self, inside: str) -> int:
        """How many files of a folder are named as pictures."""
        inner = self._inner.get(inside)
        return 0 if inner is None else sum(name.lower().endswith(ENDINGS) for name in inner.names)

    def each(self, inside: str) -> Iterator[Inner]:
        """The files of a folder and of all folders below it, folder by folder."""
        if inside in self._inner:
            yield self._inner[inside]
        for name in self.folders(inside):
            yield from self.each(f"{inside}/{name}" if inside else name)
