"""`wf mistakes`: the wrong answers of a snapshot, most confident first."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from workflow.errors import UsageError, did_you_mean
from workflow.exams.answers import Answers
from workflow.exams.picture import Skipped
from workflow.exams.unknown_classes import unknown_classes

Cell = tuple[str, str]
"""A true class and the predicted one."""


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """A picture whose predicted class is not its own."""

    path: str
    sha256: str
    true: str
    predicted: str
    probability: float
    """Probability of the predicted class."""
    probability_true: float
    """Probability of the class of the picture's label."""
    link: str | None = None
    """In the folder of links, once that is made; None where the picture is gone."""

    @property
    def caption(self) -> str:
        """`cat -> dog 0.98`."""
        return f"{self.true} -> {self.predicted} {self.probability:.2f}"


@dataclass(frozen=True, kw_only=True)
class Mistakes:
    """The wrong answers to an exam, by falling probability, then by path."""

    snapshot: str
    exam: str
    pictures: int
    """Those whose class the snapshot knows."""
    cell: Cell | None
    """The cell that they are limited to."""
    mistakes: tuple[Mistake, ...]
    skipped: tuple[Skipped, ...] = ()
    """Files that could not be read."""

    @property
    def cells(self) -> dict[Cell, int]:
        """Wrong pictures in each cell of the confusion matrix that has some, the fullest first."""
        tally = Counter((one.true, one.predicted) for one in self.mistakes)
        return dict(sorted(tally.items(), key=lambda pair: (-pair[1], pair[0])))

    def within(self, cell: Cell) -> Mistakes:
        """The mistakes in one cell."""
        chosen = tuple(one for one in self.mistakes if (one.true, one.predicted) == cell)
        return replace(self, cell=cell, mistakes=chosen)

    def json(self) -> dict[str, Any]:
        """As `wf mistakes --json` gives it, without the files that were written."""
        return {
            "snapshot": self.snapshot,
            "exam": self.exam,
            "pictures": self.pictures,
            "count": len(self.mistakes),
            "cell": None if self.cell is None else list(self.cell),
            "cells": [
                {"true": true, "predicted": predicted, "count": count}
                for (true, predicted), count in self.cells.items()
            ],
            "mistakes": [vars(one) for one in self.mistakes],
        }


def mistakes(found: Answers) -> Mistakes:
    """The wrong answers; pictures without a label, or with a label unknown to the snapshot, are not among them.

    Raises:
        DataError: as `unknown_classes`.
    """
    unknown_classes(found)
    wrong = np.flatnonzero((found.truth >= 0) & ~found.correct)
    order = wrong[np.argsort(-found.confidence[wrong], kind="stable")]  # the answers are sorted by path already
    listed = []
    for index in order.tolist():
        one, truth, predicted = found.pictures[index], int(found.truth[index]), int(found.predicted[index])
        listed.append(
            Mistake(
                path=one.path,
                sha256=one.sha256,
                true=found.classes[truth],
                predicted=found.classes[predicted],
                probability=float(found.confidence[index]),
                probability_true=float(found.probabilities[index, truth]),
            )
        )
    count = int((found.truth >= 0).sum())
    return Mistakes(
        snapshot=found.snapshot,
        exam=found.exam,
        pictures=count,
        cell=None,
        mistakes=tuple(listed),
        skipped=tuple(found.skipped),
    )


def parse_cell(text: str, classes: tuple[str, ...]) -> Cell:
    """Parse a cell such as `cat:dog`, cats labelled as dogs; class names may contain colons.

    Raises:
        UsageError: it is not two different known classes.
    """
    parts = text.split(":")
    splits = [(":".join(parts[:place]), ":".join(parts[place:])) for place in range(1, len(parts))]
    for true, predicted in splits:
        if true in classes and predicted in classes:
            if true == predicted:
                raise UsageError(f"--cell {text}: pictures of '{true}' predicted as '{true}' are right")
            return true, predicted
    if not splits:
        raise UsageError(f"--cell {text}: expected two classes with a colon between", hint="--cell TRUE:PREDICTED")
    strange = next(name for name in splits[0] if name not in classes)
    raise UsageError(f"--cell {text}: the snapshot knows no class '{strange}'", hint=did_you_mean(strange, classes))
