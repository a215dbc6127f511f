"""`wf log`: the chain of generations, the changes of each and their accuracies."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from workflow.config import Config
from workflow.data import manifest
from workflow.data.manifest import Image
from workflow.errors import DataError
from workflow.evaluation.changes import Changes, between, first, pictures, renamed
from workflow.evaluation.flips import Sitting, shared, sittings
from workflow.evaluation.metrics import interval
from workflow.evaluation.seed_spread import Band, recorded_band
from workflow.exams.answers import Progress
from workflow.exams.choice import of_test_set
from workflow.exams.picture import Picture
from workflow.generations import Generation, Record, SnapshotRecord, generations, no_generation

_LISTS = 2  # of pictures that are held at a time: of a generation and its parent


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One generation of the chain."""

    generation: Generation
    record: Record
    changes: Changes | None
    """Against the parent; None where the pictures of either are not known any more."""
    new_classes: tuple[str, ...]
    dropped_classes: tuple[str, ...]
    renamed_classes: dict[str, str]
    band: Band | None
    """Spread of the recorded test accuracy, where the generation was trained with several seeds."""
    sitting: Sitting | None = None
    """On the exam that all generations took, if one was asked for."""

    @property
    def counts(self) -> dict[str, int]:
        """Pictures of `train`, `test`, and `validation` where there are any."""
        return {split: sum(classes.values()) for split, classes in self.record.counts.items()}

    @property
    def accuracy(self) -> float | None:
        """Of the best snapshot on the generation's own test set, 0..1; None until it was evaluated on that."""
        return self.record.best.test_accuracy if self.record.best is not None else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval of `accuracy`."""
        if self.accuracy is None:
            return None
        count = self.counts.get("test", 0)
        return interval(round(self.accuracy * count), count)

    def json(self) -> dict[str, Any]:
        """One element of `generations` of `wf log --json`."""
        record = self.record
        return {
            "generation": record.number,
            "parent": record.parent,
            "created": record.created,
            "classes": record.classes,
            "new_classes": self.new_classes,
            "dropped_classes": self.dropped_classes,
            "renamed_classes": self.renamed_classes,
            "pictures": self.counts,
            "changes": self.changes.json() if self.changes is not None else None,
            "engine": record.training.engine,
            "growth": record.training.growth,
            "parts": record.training.parts,
            "solver_split": record.solver_split,
            "snapshots": [{"iteration": one.iteration} | accuracies(record, one) for one in record.snapshots],
            "best": f"iter_{record.best.iteration}" if record.best is not None else None,
            "test_accuracy": self.accuracy,
            "interval": self.interval,
            "chosen_by_test": record.chosen_by_test,
            "seeds": self.band.json() if self.band is not None else None,
            "exam": self.sitting.json() if self.sitting is not None else None,
        }


def accuracies(record: Record, one: SnapshotRecord) -> dict[str, float | None]:
    """test_accuracy of a snapshot, and validation_accuracy where the generation has validation pictures."""
    splits = dict.fromkeys([record.solver_split, "test"])
    return {f"{split}_accuracy": one.tested(split)[0] for split in splits}


def chain(config: Config, *, exam: Generation | None = None, progress: Progress | None = None) -> tuple[Entry, ...]:
    """Every generation, oldest first.

    Args:
        config: says where they are.
        exam: a generation on whose test set the best snapshot of each is evaluated, so accuracies can be compared; the
            pictures that count are those that count for all of them, where there are any.
        progress: called with (done, all) where pictures must be shown to a snapshot.

    Raises:
        UsageError: L01, there is no generation.
        DataError: a manifest is damaged.
    """
    found = _readable(config)
    if not found:
        raise no_generation(config)
    sat = {one.generation: one for one in _exam(config, exam, progress)} if exam is not None else {}
    before: dict[int, tuple[Generation, Record]] = {}
    listed = lru_cache(_LISTS)(pictures)
    entries = []
    for one, record in found:
        before[one.number] = one, record
        parent = None if record.parent is None else before.get(record.parent)
        entries.append(_entry(one, record, parent, listed, sat.get(one.name)))
    return tuple(entries)


def newest_exam(config: Config) -> Generation | None:
    """The newest generation whose test pictures are known; None with fewer than two trained ones to compare."""
    found = _readable(config)
    if sum(bool(record.snapshots) for _, record in found) < 2:
        return None
    return next((one for one, _ in reversed(found) if one.manifest.is_file()), None)


def _entry(
    one: Generation,
    record: Record,
    parent: tuple[Generation, Record] | None,
    listed: Callable[[Generation], Mapping[str, Image] | None],
    sitting: Sitting | None,
) -> Entry:
    earlier = None if parent is None else parent[1]
    changes = None
    if record.parent is None and one.manifest.is_file():
        changes = first(record)
    elif parent is not None and (mine := listed(one)) is not None and (theirs := listed(parent[0])) is not None:
        changes = between(theirs, parent[1], mine, record)
    before = earlier.classes if earlier is not None else record.classes
    names = renamed(before, record.classes)
    return Entry(
        generation=one,
        record=record,
        changes=changes,
        new_classes=tuple(name for name in record.classes if name not in before and name not in names.values()),
        dropped_classes=tuple(name for name in before if name not in record.classes and name not in names),
        renamed_classes=names,
        band=recorded_band(one),
        sitting=sitting,
    )


def _readable(config: Config) -> list[tuple[Generation, Record]]:
    found = []
    for one in generations(config):
        try:
            found.append((one, one.read()))
        except DataError as error:
            logging.getLogger("workflow").warning("%s is ignored: %s", one.name, error.message)
    return found


def _exam(config: Config, exam: Generation, progress: Progress | None) -> Sequence[Sitting]:
    images = manifest.read(exam, "test")
    asked = [Picture(image.path, image.sha256, image.class_name) for image in images]
    return shared(sittings(config, of_test_set(exam), asked, progress))
