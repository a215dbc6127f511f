"""Changes of a data set since the previous generation, picture by picture (identified by the file's bytes)."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from workflow.data import manifest
from workflow.data.classes import Classes
from workflow.data.split import SPLITS, TEST, TRAIN, VALIDATION
from workflow.data.table import Table
from workflow.errors import WorkflowError
from workflow.formats.lmdb import verify
from workflow.generations import Generation, Record


@dataclass(frozen=True, kw_only=True)
class Changes:
    """Numbers of pictures, and names of classes."""

    against: int | None
    """The generation before; None for a first one, which has no changes."""
    added: int = 0
    removed: int = 0
    relabelled: int = 0
    """Pictures that are in another class now; a renamed class is the same class."""
    to_train: int = 0
    """Pictures of another part that are training pictures now, since their folders say so."""
    to_validation: int = 0
    to_test: int = 0
    from_test: int = 0
    """Pictures that were test pictures and no longer are."""
    new_classes: tuple[str, ...] = ()
    dropped_classes: tuple[str, ...] = ()
    renamed_classes: dict[str, str] = field(default_factory=dict)

    @property
    def any(self) -> bool:
        """Whether something changed, or there is no previous generation."""
        moved = self.to_train + self.to_validation + self.to_test
        pictures = self.added + self.removed + self.relabelled + moved
        return self.against is None or bool(pictures or self.new_classes or self.renamed_classes)


@dataclass(frozen=True, kw_only=True)
class Before:
    """The generation before, as far as the next one needs it."""

    generation: Generation
    record: Record
    pictures: dict[bytes, int]
    """Digest -> 3 times the class number, plus the side."""

    @property
    def sides(self) -> dict[bytes, int]:
        """Digest -> side, see `split.SPLITS`."""
        return {digest: code % len(SPLITS) for digest, code in self.pictures.items()}

    def whole(self) -> bool:
        """Whether its data set is there and can be opened."""
        one = self.generation
        try:
            for split in self.record.counts:
                verify(one.database(split))
        except WorkflowError:
            return False
        return bool(self.pictures) and one.mean.is_file() and one.labels.is_file()


def before(generation: Generation) -> Before:
    """Read a generation's record and manifest. One whose dataset was deleted to save space has no pictures.

    Raises:
        DataError: the record is missing, or either is damaged.
    """
    record = generation.read()
    numbers = {name: number for number, name in enumerate(record.classes)}
    pictures = {}
    if generation.manifest.exists():
        for image in manifest.read(generation):
            code = len(SPLITS) * numbers.get(image.class_name, 0) + SPLITS.index(image.split)
            pictures[bytes.fromhex(image.sha256)] = code
    return Before(generation=generation, record=record, pictures=pictures)


def compare(table: Table, sides: np.ndarray, previous: Before | None, classes: Classes) -> Changes:
    """Compare with the previous generation.

    Args:
        table: its `read` files are the generation's pictures.
        sides: int8 (N,), see `split.SPLITS`.
        previous: None for a first generation.
        classes: of the new generation.
    """
    if previous is None:
        return Changes(against=None)
    old_names = [classes.renamed.get(name, name) for name in previous.record.classes]
    added = relabelled = from_test = kept = 0
    to = [0] * len(SPLITS)
    for index in np.flatnonzero(table.read):
        code = previous.pictures.get(table.digests[index].tobytes())
        if code is None:
            added += 1
            continue
        kept += 1
        number, side = divmod(code, len(SPLITS))
        relabelled += old_names[number] != table.classes[table.labels[index]]
        if side != sides[index]:
            to[sides[index]] += 1
            from_test += side == TEST
    return Changes(
        against=previous.record.number,
        added=added,
        removed=len(previous.pictures) - kept,
        relabelled=relabelled,
        to_train=to[TRAIN],
        to_validation=to[VALIDATION],
        to_test=to[TEST],
        from_test=from_test,
        new_classes=classes.new,
        dropped_classes=classes.dropped,
        renamed_classes=dict(classes.renamed),
    )
