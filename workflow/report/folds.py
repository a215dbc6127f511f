"""The result of K folds in words."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from workflow.evaluation import metrics
from workflow.words import joined, share, table

if TYPE_CHECKING:
    from workflow.evaluation.folds import Folds


def describe(found: Folds, pictures: Mapping[str, Path] | None = None) -> str:
    """The accuracy over all pictures with its interval, that of each fold, and each class."""
    del pictures
    score, (low, high) = found.score, found.score.interval
    trained = [one.trained_on for one in found.folds]
    head = [
        f"{found.generation}, {len(found.folds)} folds: {score.correct:,} of {score.count:,} right, "
        "each judged by a net that had not seen it",
        f"  accuracy  {share(score.accuracy)}  95 % interval {low:.4f} to {high:.4f}",
        f"  balanced  {share(metrics.balanced_accuracy(found.confusion))}  mean of the classes' recalls",
        f"these nets learnt from {min(trained):,} to {max(trained):,} pictures each",
    ]
    rows = [["fold", "snapshot", "pictures", "right", "accuracy"]]
    rows += [
        [str(place), one.snapshot, f"{one.score.count:,}", f"{one.score.correct:,}", share(one.score.accuracy)]
        for place, one in enumerate(found.folds, start=1)
    ]
    scores = found.per_class
    classes = [["class", "pictures", "precision", "recall"]]
    for index, name in enumerate(found.classes):
        shares = (share(scores.precision[index]), share(scores.recall[index]))
        classes.append([name, f"{scores.support[index]:,}", *shares])
    return joined([head, table(rows, left=(0, 1)), table(classes)])
