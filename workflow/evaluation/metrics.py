"""Metrics: accuracy and its interval, confusion matrix, calibration, thresholds.

A quotient 0/0 is NaN here, never 0 or 1: the precision of a class that was never predicted is not known.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]

BINS = 15
"""Bins of the calibration, as in Guo et al. 2017."""
THRESHOLDS = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
"""The first accepts everything: the others are compared with it."""

_Z = 1.959963984540054  # 95 % of the normal distribution lie within so many standard deviations


def interval(correct: int, count: int) -> tuple[float, float]:
    """The 95 % interval of a share, by Wilson's score (Wilson 1927; Brown, Cai and DasGupta 2001).

    With p = correct/count and z = 1.96: centre (p + z²/2n) / (1 + z²/n), half width
    z sqrt(p(1-p)/n + z²/4n²) / (1 + z²/n). Unlike the textbook's p ± z sqrt(p(1-p)/n) it holds for few pictures and
    for shares near 0 and 1.

    Args:
        correct: 0 .. count.
        count: of pictures; 0 gives (0, 1), as nothing is known.

    Raises:
        ValueError: more correct than there are, or a negative number.
    """
    if not 0 <= correct <= count:
        raise ValueError(f"{correct} of {count} cannot be correct")
    if not count:
        return 0.0, 1.0
    share, square = correct / count, _Z * _Z
    centre = share + square / (2 * count)
    half = _Z * math.sqrt(share * (1 - share) / count + square / (4 * count * count))
    low, high = ((centre + sign * half) / (1 + square / count) for sign in (-1, 1))
    return (0.0 if correct == 0 else low), (1.0 if correct == count else high)  # exactly, whatever is rounded


@dataclass(frozen=True, kw_only=True)
class ConstantAnswer:
    """The best constant answer: always the class with the most pictures."""

    label: str
    accuracy: float
    """Share of the pictures for which it is right, 0..1."""

    @property
    def words(self) -> str:
        """In words, to be shown beside an accuracy."""
        return f"always answering '{self.label}' would score {self.accuracy:.4f}"

    def json(self) -> dict[str, Any]:
        """Keys class, accuracy, words."""
        return {"class": self.label, "accuracy": self.accuracy, "words": self.words}


def constant_answer(support: Mapping[str, int]) -> ConstantAnswer | None:
    """The best constant answer to an exam with these numbers of pictures of each class; None without pictures."""
    total = sum(support.values())
    if not total:
        return None
    label = max(support, key=lambda name: support[name])
    return ConstantAnswer(label=label, accuracy=int(support[label]) / total)


def confusion(truth: NDArray[np.integer], predicted: NDArray[np.integer], classes: int) -> Counts:
    """How many pictures of each class were predicted as each class.

    Args:
        truth: (N,), -1 for a picture that does not count.
        predicted: (N,), 0 .. classes-1.
        classes: how many there are.

    Returns:
        int64 (classes, classes), a row for each true class, a column for each predicted one.
    """
    known = truth >= 0
    cells = truth[known].astype(np.int64) * classes + predicted[known]
    counts: Counts = np.bincount(cells, minlength=classes * classes).reshape(classes, classes).astype(np.int64)
    return counts


@dataclass(frozen=True, kw_only=True, eq=False)
class PerClass:
    """Scores of each class, float64 (C,), NaN for 0/0."""

    support: Counts
    """Pictures of the class."""
    predicted: Counts
    """Pictures that were given the class."""
    precision: Floats
    """Share of those given the class that are of it; NaN where none was."""
    recall: Floats
    """Share of the pictures of the class that were given it; NaN where there are none."""
    f1: Floats
    """2 right / (support + predicted), the harmonic mean of both; NaN where there is neither."""


def per_class(matrix: Counts, support: Counts | None = None) -> PerClass:
    """Precision, recall and F1 of each class of a confusion matrix.

    Args:
        matrix: see `confusion`.
        support: pictures of each class, where the matrix holds only some of them.
    """
    right, predicted = matrix.diagonal(), matrix.sum(0)
    support = matrix.sum(1) if support is None else support
    return PerClass(
        support=support,
        predicted=predicted,
        precision=_share(right, predicted),
        recall=_share(right, support),
        f1=_share(2 * right, support + predicted),
    )


def balanced_accuracy(matrix: Counts) -> float:
    """The mean of the recalls of the classes that have pictures; NaN where none has."""
    recall = per_class(matrix).recall
    known = recall[~np.isnan(recall)]
    return float(known.mean()) if known.size else math.nan


@dataclass(frozen=True, kw_only=True, eq=False)
class Calibration:
    """Whether a net that gives 0.9 is right nine times in ten. Arrays are (bins,)."""

    ece: float
    """Expected calibration error, 0..1: the bins' mean of |accuracy - confidence|, weighted by their counts."""
    count: Counts
    confidence: Floats
    """Mean probability of the predicted class; NaN in an empty bin."""
    accuracy: Floats


def calibration(probability: NDArray[np.floating], correct: NDArray[np.bool_], bins: int = BINS) -> Calibration:
    """Expected calibration error (Guo et al. 2017, equation 3) over bins of equal width.

    Args:
        probability: (N,) that of the predicted class, 0..1.
        correct: (N,).
        bins: bin k holds k/bins < probability <= (k+1)/bins; 0 is in the first.
    """
    given = probability.astype(np.float64)
    place = (np.ceil(given * bins).astype(np.int64) - 1).clip(0, bins - 1)
    count = np.bincount(place, minlength=bins).astype(np.int64)
    confidence = _share(np.bincount(place, given, bins), count)
    accuracy = _share(np.bincount(place, correct, bins), count)
    gaps = np.abs(accuracy - confidence)[count > 0]
    ece = float((gaps * count[count > 0]).sum() / count.sum()) if count.any() else math.nan
    return Calibration(ece=ece, count=count, confidence=confidence, accuracy=accuracy)


@dataclass(frozen=True, kw_only=True, eq=False)
class Threshold:
    """The results if predictions below a probability are rejected."""

    threshold: float
    answered: int
    """Pictures whose prediction is accepted."""
    wrong: int
    """Accepted pictures whose prediction is wrong."""
    scores: PerClass
    """`precision` among the accepted pictures; `recall` among all: a rejected picture is not found."""

    @property
    def accuracy(self) -> float:
        """Share of the answered ones that is right, NaN where nothing is answered."""
        return 1 - self.wrong / self.answered if self.answered else math.nan


def thresholds(
    truth: NDArray[np.integer],
    predicted: NDArray[np.integer],
    probability: NDArray[np.floating],
    classes: int,
    values: Sequence[float] = THRESHOLDS,
) -> tuple[Threshold, ...]:
    """The table of thresholds: what accepting only the confident predictions gains and costs.

    Args:
        truth: (N,), -1 for a picture that does not count.
        predicted: (N,).
        probability: (N,) that of the predicted class; it is accepted where it is at least the threshold.
        classes: how many there are.
        values: the thresholds, 0..1.
    """
    support = confusion(truth, predicted, classes).sum(1)
    rows = []
    for value in values:
        believed = probability >= value
        matrix = confusion(truth[believed], predicted[believed], classes)
        answered = int(matrix.sum())
        wrong = answered - int(matrix.trace())
        rows.append(Threshold(threshold=value, answered=answered, wrong=wrong, scores=per_class(matrix, support)))
    return tuple(rows)


def _share(part: NDArray[np.generic], whole: Counts) -> Floats:
    """A quotient, NaN where there is nothing to divide by."""
    result = np.full(whole.shape, np.nan)
    np.divide(part, whole, out=result, where=whole > 0)
    return result
