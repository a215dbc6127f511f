"""Changes of a generation's pictures against its parent, from both manifests (identified by the file's bytes)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from workflow.data import manifest
from workflow.data.manifest import Image
from workflow.generations import Generation, Record


@dataclass(frozen=True, kw_only=True)
class Relabelled:
    """A picture that is in another class now."""

    path: str
    """Its current path."""
    sha256: str
    before: str
    after: str


@dataclass(frozen=True, kw_only=True)
class Changes:
    """Changes of the pictures and classes of a generation."""

    added: dict[str, int] = field(default_factory=dict)
    """Class -> how many pictures are new in it."""
    removed: tuple[Image, ...] = ()
    relabelled: tuple[Relabelled, ...] = ()
    """A renamed class is the same class."""
    to_train: int = 0
    """Pictures of another part that are training pictures now."""
    to_validation: int = 0
    to_test: int = 0

    def json(self) -> dict[str, Any]:
        """Counts; for the short lists, also the pictures."""
        return {
            "added": sum(self.added.values()),
            "added_by_class": dict(sorted(self.added.items())),
            "removed": len(self.removed),
            "removed_by_class": dict(sorted(Counter(image.class_name for image in self.removed).items())),
            "removed_pictures": [one.path for one in self.removed],
            "relabelled": len(self.relabelled),
            "relabelled_pictures": [
                {"path": one.path, "before": one.before, "after": one.after} for one in self.relabelled
            ],
            "to_train": self.to_train,
            "to_validation": self.to_validation,
            "to_test": self.to_test,
        }


def first(record: Record) -> Changes:
    """Of a generation without a parent: all its pictures are new."""
    return Changes(added=dict(sum((Counter(classes) for classes in record.counts.values()), Counter())))


def pictures(generation: Generation) -> dict[str, Image] | None:
    """Sha256 -> picture; None for a generation whose data set was deleted to save space.

    Raises:
        DataError: the manifest is damaged.
    """
    if not generation.manifest.is_file():
        return None
    return {image.sha256: image for image in manifest.read(generation)}


def renamed(before: Sequence[str], after: Sequence[str]) -> dict[str, str]:
    """Old name -> new name of classes that kept their number under a name that is new."""
    return {
        old: new
        for old, new in zip(before, after, strict=False)
        if old != new and old not in after and new not in before
    }


def between(before: Mapping[str, Image], earlier: Record, after: Mapping[str, Image], later: Record) -> Changes:
    """What changed from one generation's pictures to another's.

    Args:
        before: `pictures` of the earlier generation.
        earlier: its record.
        after: `pictures` of the later generation.
        later: its record.
    """
    names = renamed(earlier.classes, later.classes)
    relabelled: list[Relabelled] = []
    added: Counter[str] = Counter()
    to: Counter[str] = Counter()
    for sha256, now in after.items():
        if (was := before.get(sha256)) is None:
            added[now.class_name] += 1
            continue
        if names.get(was.class_name, was.class_name) != now.class_name:
            relabelled.append(Relabelled(path=now.path, sha256=sha256, before=was.class_name, after=now.class_name))
        if was.split != now.split:
            to[now.split] += 1
    return Changes(
        added=dict(added),
        removed=tuple(image for sha256, image in before.items() if sha256 not in after),
        relabelled=tuple(relabelled),
        to_train=to["train"],
        to_validation=to["validation"],
        to_test=to["test"],
    )
