"""Pictures that changed between right and wrong more than once over the generations."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workflow.config import Config
from workflow.errors import DataError
from workflow.evaluation.metrics import interval
from workflow.exams import cache
from workflow.exams.answers import Answers, Progress
from workflow.exams.choice import Poser
from workflow.exams.overlap import trained_on
from workflow.exams.picture import Picture
from workflow.generations import generations
from workflow.models.loading import load


@dataclass(frozen=True, kw_only=True)
class Sitting:
    """A generation's best snapshot and its answers on the exam."""

    generation: str
    snapshot: str
    right: NDArray[np.int8]
    """(N,): 1 right, 0 wrong, -1 not counted: it was trained on the picture, does not know the class or did not read
    it."""

    @property
    def score(self) -> tuple[int, int]:
        """How many were right, of how many that count."""
        return int((self.right == 1).sum()), int((self.right >= 0).sum())

    def json(self) -> dict[str, Any]:
        """The score."""
        correct, count = self.score
        return {
            "generation": self.generation,
            "snapshot": self.snapshot,
            "pictures": count,
            "accuracy": correct / count if count else None,
            "interval": interval(correct, count),
        }


@dataclass(frozen=True, kw_only=True)
class Flip:
    """A picture whose answer changed between right and wrong at least twice."""

    path: str
    truth: str | None
    right: dict[str, bool]
    """Generation -> whether it was right, of those that count, oldest first."""

    @property
    def changes(self) -> int:
        """How often it changed between right and wrong."""
        return sum(one != other for one, other in pairwise(self.right.values()))

    def json(self) -> dict[str, Any]:
        """All fields."""
        return {"path": self.path, "true": self.truth, "changes": self.changes, "right": self.right}


def sittings(
    config: Config, pose: Poser, pictures: Sequence[Picture], progress: Progress | None = None
) -> tuple[Sitting, ...]:
    """Run the exam on the best snapshot of every generation that has one, oldest first.

    A generation that cannot be tested (a damaged snapshot, files that are gone) is left out with a warning.

    Args:
        config: says where the generations are.
        pose: gives the exam as a model takes it.
        pictures: those that count.
        progress: called with (done, all) for each generation.
    """
    return tuple(_sit(config, pose, pictures, progress))


def shared(sat: Sequence[Sitting]) -> tuple[Sitting, ...]:
    """The sittings with only the pictures that count for every generation.

    Unchanged where no picture counts for all of them.
    """
    if not sat:
        return ()
    everywhere = np.logical_and.reduce([one.right >= 0 for one in sat])
    if not everywhere.any():
        return tuple(sat)
    return tuple(replace(one, right=np.where(everywhere, one.right, np.int8(-1))) for one in sat)


def flips(sat: Sequence[Sitting], pictures: Sequence[Picture]) -> tuple[Flip, ...]:
    """Pictures that changed twice or more, those that changed most first."""
    found = []
    for index, one in enumerate(pictures):
        right = {sitting.generation: bool(sitting.right[index]) for sitting in sat if sitting.right[index] >= 0}
        flip = Flip(path=one.path, truth=one.truth, right=right)
        if flip.changes > 1:
            found.append(flip)
    return tuple(sorted(found, key=lambda flip: (-flip.changes, flip.path)))


def _sit(config: Config, pose: Poser, pictures: Sequence[Picture], progress: Progress | None) -> Iterator[Sitting]:
    for one in generations(config):
        if not one.record_path.is_file() or one.read().best is None:
            continue
        try:
            model = load(config, snapshot=f"{one.name}/best", tell=False)
            found = cache.answers(model, pose(model), progress=progress)
        except DataError as error:
            logging.getLogger("workflow").warning("%s is left out of the history: %s", one.name, error.message)
            continue
        right = _right(found, pictures)
        if one.manifest.is_file():
            right[trained_on(one, pictures)] = -1
        yield Sitting(generation=one.name, snapshot=model.name, right=right)


def _right(found: Answers, pictures: Sequence[Picture]) -> NDArray[np.int8]:
    places = {(one.path, one.sha256): index for index, one in enumerate(found.pictures)}
    marks = np.where(found.truth < 0, -1, found.correct).astype(np.int8)
    return np.array(
        [marks[places[key]] if (key := (one.path, one.sha256)) in places else -1 for one in pictures], np.int8
    )
