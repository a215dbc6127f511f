"""Changes of a data set since the previous generation, picture by picture (identified by the file's bytes)."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from workflow.data import manifest
from workflow.data.classes import Classes
from workflow.data.scan import SPLITS
from workflow.data.split import TEST
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
    """Pictures that are in another class now; a class that was renamed is no other class."""
    to_train: int = 0
    """Pictures that were in the test set and are in the training set now, since their folders say so."""
    to_test: int = 0
    new_classes: tuple[str, ...] = ()
    dropped_classes: tuple[str, ...] = ()
    renamed_classes: dict[str, str] = field(default_factory=dict)

    @property
    def any(self) -> bool:
        """Whether something changed, or there is no previous generation."""
        pictures = self.added + self.removed + self.relabelled + self.to_train + self.to_test
        return self.against is None or bool(pictures or self.new_classes or self.renamed_classes)


@dataclass(frozen=True, kw_only=True)
class Before:
    """The generation before, as far as the next one needs it."""

    generation: Generation
    record: Record
    pictures: dict[bytes, int]
    """Digest -> 2 times the class number, plus the side."""

    @property
    def sides(self) -> dict[bytes, int]:
        """Digest -> 0 train, 1 test."""
        return {digest: code % 2 for digest, code in self.pictures.items()}

    def whole(self) -> bool:
        """Whether its data set is there and can be opened."""
        one = self.generation
        try:
            for split in SPLITS:
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
            code = 2 * numbers.get(image.class_name, 0) + SPLITS.index(image.split)
            pictures[bytes.fromhex(image.sha256)] = code
    return Before(generation=generation, record=record, pictures=pictures)


def compare(table: Table, sides: np.ndarray, previous: Before | None, classes: Classes) -> Changes:
    """Compare with the previous generation.

    Args:
        table: its `read` files are the generation's pictures.
        sides: int8 (N,), 0 train or 1 test.
        previous: None for a first generation.
        classes: of the new generation.
    """
    if previous is None:
        return Changes(against=None)
    old_names = [classes.renamed.get(name, name) for name in previous.record.classes]
    added = relabelled = to_train = to_test = kept = 0
    for index in np.flatnonzero(table.read):
        code = previous.pictures.get(table.digests[index].tobytes())
        if code is None:
            added += 1
            continue
        kept += 1
        relabelled += old_names[code // 2] != table.classes[table.labels[index]]
        if code % 2 != sides[index]:
            to_test += int(sides[index] == TEST)
            to_train += int(sides[index] != TEST)
    return Changes(
        against=previous.record.number,
        added=added,
        removed=len(previous.pictures) - kept,
        relabelled=relabelled,
        to_train=to_train,
        to_test=to_test,
        new_classes=classes.new,
        dropped_classes=classes.dropped,
        renamed_classes=dict(classes.renamed),
    )
