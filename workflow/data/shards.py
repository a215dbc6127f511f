"""The classes and members of a tar of labelled pictures.

Labels are in members beside the pictures (`sources.tar_labels`) if there is one; else in folders, as on a disk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from workflow.data.found import Scan, Skipped
from workflow.data.listed import Inner, Listed
from workflow.data.names import Names
from workflow.data.sources import tar_labels, tars


class Shard(Listed):
    """The folders of a tar.

    Attributes:
        labelled: whether members beside the pictures hold labels; no folder is looked for then.

    Raises:
        DataError: P40, the tar is damaged.
        OSError: it cannot be read.
    """

    def __init__(self, found: Scan, root: Path) -> None:
        self._tar = tars.looked_through(str(root))
        self._labels = tar_labels.labels(self._tar)
        self.labelled = bool(self._labels)
        super().__init__(found, root, () if self.labelled else self._members())
        found.skipped += [
            Skipped(path=f"{root}/{one.name}", reason=one.reason, kind=one.kind) for one in self._tar.refused
        ]

    def _members(self) -> Iterator[tuple[str, str]]:
        return ((name, self._tar.ticket(name)) for name in self._tar.pictures())

    def collect_labelled(self, classes: Sequence[str], class_name: Callable[[str], str], split: str | None) -> None:
        """Take the members that have labels.

        Args:
            classes: the class of each number, see `named`.
            class_name: checks the name of a class.
            split: of the tar.
        """
        taken: dict[tuple[str, str], Inner] = {}
        for name, ticket in self._members():
            label = self._labels.get(tars.key(name), tar_labels.BadLabel("has no label: no .cls or .json beside it"))
            if not isinstance(label, tar_labels.BadLabel):
                label = named(label, classes)
            if isinstance(label, tar_labels.BadLabel):
                self._found.skipped.append(Skipped(path=f"{self._root}/{name}", reason=label, kind="without a label"))
                continue
            inside, _, last = name.rpartition("/")
            inner = taken.setdefault((inside, class_name(label)), Inner(inside, Names(), Names()))
            inner.names.append(last)
            inner.tickets.append(ticket)
        for (_, name), inner in taken.items():
            self.take(inner, name, split)


def named(label: str, classes: Sequence[str]) -> str:
    """The class that a label stands for: a number is one of `classes`, from 0, unless it names a class itself.

    Without `classes` a number is a name like any other. A `BadLabel` where there is no such class.
    """
    if not classes or label in classes or not label.isdecimal():
        return label
    if int(label) < len(classes):
        return classes[int(label)]
    return tar_labels.BadLabel(f"has label {label}, but `classes:` in the settings ends with {len(classes) - 1}")
