"""`wf evaluate --folds K`: every picture judged by a net that has not seen it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from workflow.config import Config
from workflow.errors import UsageError
from workflow.evaluation import metrics
from workflow.evaluation.metrics import Counts, PerClass
from workflow.evaluation.result import Score, number
from workflow.exams import cache
from workflow.exams.exam import of_generation
from workflow.generations import Generation
from workflow.models.loading import of_snapshot


@dataclass(frozen=True, kw_only=True)
class Fold:
    """One of the trainings, and how its best snapshot did on the pictures that it had not seen."""

    folder: str
    snapshot: str
    """`iter_1500`."""
    trained_on: int
    """Training pictures."""
    score: Score

    def json(self) -> dict[str, Any]:
        """Keys folder, snapshot, trained_on, accuracy, interval, count, correct."""
        return {"folder": self.folder, "snapshot": self.snapshot, "trained_on": self.trained_on} | self.score.json()


@dataclass(frozen=True, kw_only=True, eq=False)
class Folds:
    """The result of all folds."""

    generation: str
    classes: tuple[str, ...]
    folds: tuple[Fold, ...]
    confusion: Counts
    """int64 (C, C), a row for each true class, a column for each predicted one; of all pictures."""

    @property
    def score(self) -> Score:
        """Of all pictures."""
        return Score(correct=int(self.confusion.trace()), count=int(self.confusion.sum()))

    @property
    def per_class(self) -> PerClass:
        """Precision, recall, F1."""
        return metrics.per_class(self.confusion)

    def json(self) -> dict[str, Any]:
        """As `wf evaluate --folds K --json` gives it."""
        return {
            "generation": self.generation,
            **self.score.json(),
            "balanced_accuracy": number(metrics.balanced_accuracy(self.confusion)),
            "classes": list(self.classes),
            "confusion": self.confusion.tolist(),
            "folds": [one.json() for one in self.folds],
        }


def of_folds(config: Config, generation: Generation, folds: Sequence[Generation]) -> Folds:
    """Run the best snapshot of each fold on the test pictures of the fold, or find its answers on disk.

    Args:
        config: the settings.
        generation: whose pictures were split.
        folds: whose training has ended.

    Raises:
        UsageError: one of them has no snapshot.
        NetError, DataError: as `observe`.
    """
    classes = generation.read().classes
    found, total = [], np.zeros((len(classes), len(classes)), np.int64)
    for one in folds:
        record = one.read()
        if record.best is None:
            raise UsageError(f"{one.folder} has no snapshot", hint="make max_iter of the solver larger")
        model = of_snapshot(config, one, record.best)
        answers = cache.answers(model, of_generation(one, model))
        matrix = metrics.confusion(answers.truth, answers.predicted, len(classes))
        total += matrix
        found.append(
            Fold(
                folder=one.folder.as_posix(),
                snapshot=f"iter_{record.best.iteration}",
                trained_on=sum(record.counts["train"].values()),
                score=Score(correct=int(matrix.trace()), count=int(matrix.sum())),
            )
        )
    return Folds(generation=generation.name, classes=classes, folds=tuple(found), confusion=total)
