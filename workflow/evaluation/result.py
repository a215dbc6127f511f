"""The result of an evaluation: its scores and their JSON document."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from workflow.errors import FindingError
from workflow.evaluation import metrics
from workflow.evaluation.colours import Colours
from workflow.evaluation.metrics import Calibration, ConstantAnswer, Counts, PerClass, Threshold
from workflow.exams.answers import Answers
from workflow.exams.temperature import scaled


@dataclass(frozen=True, kw_only=True)
class Score:
    """How many are right."""

    correct: int
    count: int

    @property
    def wrong(self) -> int:
        """How many are not."""
        return self.count - self.correct

    @property
    def accuracy(self) -> float:
        """0..1, NaN for no picture."""
        return self.correct / self.count if self.count else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """Of 95 %, by Wilson."""
        return metrics.interval(self.correct, self.count)

    def require(self, accuracy: float, hint: str) -> None:
        """Check the accuracy against the minimum.

        Raises:
            FindingError: E03, it is lower.
        """
        if not self.accuracy >= accuracy:
            raise FindingError(f"accuracy {self.accuracy:.4f} < {accuracy:g}, the minimum", hint=hint, fault="E03")

    def json(self) -> dict[str, Any]:
        """Keys accuracy, interval, count, correct."""
        return {
            "accuracy": number(self.accuracy),
            "interval": list(self.interval),
            "count": self.count,
            "correct": self.correct,
        }


@dataclass(frozen=True, kw_only=True, eq=False)
class Evaluation:
    """What `evaluate` found. Pictures whose class the snapshot does not know are in none of the scores."""

    answers: Answers
    unknown: dict[str, int]
    """Class that the snapshot does not know -> pictures of it."""
    recorded: float | None
    """The solver's own accuracy of this snapshot, where the exam is what its test passes look at."""
    overlap: int | None
    """Pictures that the snapshot was trained on; None where that is not known, or cannot be."""
    apart: Score | None
    """Without those, where there are any."""
    chosen_by_test: bool = False
    """Whether these test pictures chose the snapshot among others, so that the accuracy is a little too high."""
    temperature: float | None = None
    """Temperature of the calibrated confidence; None where none was fitted."""
    colours: Colours | None = None
    """What colours alone come to, where the exam is the own test set."""
    predictions: Path | None = None
    """The table, once it is written."""

    @cached_property
    def score(self) -> Score:
        """Of all pictures whose class the snapshot knows."""
        return Score(correct=int(self.answers.correct.sum()), count=int((self.answers.truth >= 0).sum()))

    @cached_property
    def called_unknown(self) -> Score | None:
        """Of those pictures, the ones that `wf predict` calls `unknown`; None without a rule for that."""
        if self.answers.distance is None:
            return None
        beyond = (self.answers.distance > 1) & (self.answers.truth >= 0)
        return Score(correct=int(self.answers.correct[beyond].sum()), count=int(beyond.sum()))

    @cached_property
    def confusion(self) -> Counts:
        """int64 (C, C), a row for each true class, a column for each predicted one."""
        return metrics.confusion(self.answers.truth, self.answers.predicted, len(self.answers.classes))

    @cached_property
    def per_class(self) -> PerClass:
        """Precision, recall, F1."""
        return metrics.per_class(self.confusion)

    @cached_property
    def calibration(self) -> Calibration:
        """Of the predicted class's probability, as Caffe gives it."""
        known = self.answers.truth >= 0
        return metrics.calibration(self.answers.confidence[known], self.answers.correct[known])

    @cached_property
    def confidence(self) -> metrics.Floats | None:
        """The calibrated confidence of the predicted class, float64 (N,); None without a temperature."""
        if self.temperature is None:
            return None
        best: metrics.Floats = scaled(self.answers.probabilities, self.temperature).max(1)
        return best

    @cached_property
    def calibrated(self) -> Calibration | None:
        """Of the calibrated confidence."""
        known = self.answers.truth >= 0
        return (
            None
            if self.confidence is None
            else metrics.calibration(self.confidence[known], self.answers.correct[known])
        )

    @cached_property
    def thresholds(self) -> tuple[Threshold, ...]:
        """The results at each threshold."""
        found = self.answers
        return metrics.thresholds(found.truth, found.predicted, found.confidence, len(found.classes))

    @property
    def always(self) -> ConstantAnswer | None:
        """The best constant answer to the same pictures; None where there is none."""
        return metrics.constant_answer(dict(zip(self.answers.classes, self.per_class.support.tolist(), strict=True)))

    @property
    def chance(self) -> float:
        """The accuracy of the same answers in random order: sum over classes of share that is, times share said."""
        scores = self.per_class
        return float(scores.support @ scores.predicted) / self.score.count**2 if self.score.count else math.nan

    @property
    def balanced_accuracy(self) -> float:
        """The mean of the classes' recalls."""
        return metrics.balanced_accuracy(self.confusion)

    def json(self) -> dict[str, Any]:
        """As `wf evaluate --json` gives it; what is 0/0 is null."""
        found = self.answers
        return {
            "snapshot": found.snapshot,
            "exam": found.exam,
            **self.score.json(),
            "always": None if self.always is None else self.always.json(),
            "chance": number(self.chance),
            "colours": None if self.colours is None else self.colours.json(),
            "balanced_accuracy": number(self.balanced_accuracy),
            "classes": list(found.classes),
            "confusion": self.confusion.tolist(),
            "per_class": {name: _class(self.per_class, index) for index, name in enumerate(found.classes)},
            "ece": number(self.calibration.ece),
            "calibration": _bins(self.calibration),
            "temperature": self.temperature,
            "calibrated_ece": None if self.calibrated is None else number(self.calibrated.ece),
            "calibrated": None if self.calibrated is None else _bins(self.calibrated),
            "called_unknown": None if self.called_unknown is None else self.called_unknown.json(),
            "thresholds": [_row(one, found.classes) for one in self.thresholds],
            "solver_accuracy": self.recorded,
            "chosen_by_test": self.chosen_by_test,
            "overlap": self.overlap,
            "without_overlap": None if self.apart is None else self.apart.json(),
            "unknown_classes": self.unknown,
            "skipped": [{"path": str(one.path), "reason": one.reason} for one in found.skipped],
            "predictions": None if self.predictions is None else str(self.predictions),
        }

    def require(self, accuracy: float) -> None:
        """Check the accuracy against the minimum.

        Raises:
            FindingError: E03, it is lower.
        """
        self.score.require(accuracy, f"wf mistakes --snapshot {self.answers.snapshot} shows the wrong answers")


def number(value: float) -> float | None:
    """For JSON, which has no NaN."""
    return None if math.isnan(value) else float(value)


def _class(scores: PerClass, index: int) -> dict[str, Any]:
    return {
        "count": int(scores.support[index]),
        "predicted": int(scores.predicted[index]),
        "precision": number(scores.precision[index]),
        "recall": number(scores.recall[index]),
        "f1": number(scores.f1[index]),
    }


def _bins(found: Calibration) -> list[dict[str, Any]]:
    width = 1 / len(found.count)
    return [
        {
            "above": round(index * width, 6),
            "to": round((index + 1) * width, 6),
            "count": int(count),
            "confidence": number(found.confidence[index]),
            "accuracy": number(found.accuracy[index]),
        }
        for index, count in enumerate(found.count)
    ]


def _row(one: Threshold, classes: Sequence[str]) -> dict[str, Any]:
    return {
        "threshold": one.threshold,
        "answered": one.answered,
        "wrong": one.wrong,
        "accuracy": number(one.accuracy),
        "per_class": {
            name: {"precision": number(one.scores.precision[index]), "recall": number(one.scores.recall[index])}
            for index, name in enumerate(classes)
        },
    }
