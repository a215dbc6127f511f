"""An evaluation in words: the scores, each class, the confusion matrix, the thresholds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from workflow.words import CHOSEN_BY_TEST, joined, share, table

if TYPE_CHECKING:
    from workflow.evaluation.result import Evaluation


_FEW = 10  # classes whose confusion matrix is printed; a larger one is in the picture
_TWO = 2
_LONG = 16  # letters of a class where there is room
_SHORT = 6  # letters of a class in the head of a column


def describe(found: Evaluation, pictures: Mapping[str, Path] | None = None) -> str:
    """The scores, each class, the confusion matrix of a few classes, the thresholds, and where everything is."""
    blocks = [_scores(found), _classes(found)]
    if len(found.answers.classes) <= _FEW:
        blocks.append(_confusion(found))
    blocks.append(_thresholds(found))
    if len(found.answers.classes) == _TWO:
        blocks.append(_both(found))
    predictions = [f"predictions  {pictures['predictions']}"] if pictures else []
    matrix = [f"confusion    {pictures['confusion']}"] if pictures else []
    return joined([*blocks, [*predictions, *matrix]])


def _scores(found: Evaluation) -> list[str]:
    score, (low, high) = found.score, found.score.interval
    rows = [["accuracy", share(score.accuracy), f"95 % interval {low:.4f} to {high:.4f}"]]
    if found.always is not None:
        rows.append(["constant", share(found.always.accuracy), f"always answering '{found.always.label}'"])
    if found.colours is not None:
        rows.append(["colours", share(found.colours.accuracy), "logistic regression on 8 x 8 colours alone"])
    if found.apart is not None:
        apart = f"of the {found.apart.count:,} pictures that it was not trained on"
        rows.append(["without overlap", share(found.apart.accuracy), apart])
    if found.overlap is not None:
        rows.append(["overlap", f"{found.overlap:,}", "pictures that it was trained on"])
    rows.append(["balanced", share(found.balanced_accuracy), "mean of the classes' recalls"])
    rows.append(["ECE", share(found.calibration.ece), "mean gap between Caffe's prob and accuracy"])
    if found.calibrated is None:
        rows.append(["calibrated", "n/a", "no temperature, which needs validation pictures"])
    else:
        fitted = f"the same with temperature {found.temperature:.3g}, of the validation pictures"
        rows.append(["calibrated", share(found.calibrated.ece), fitted])
    if (beyond := found.called_unknown) is not None:
        wrong = f"pictures that wf predict calls unknown: {beyond.correct:,} right, {beyond.wrong:,} wrong"
        rows.append(["unknown", f"{beyond.count:,}", wrong])
    width = max(len(row[0]) for row in rows)
    head = f"{found.answers.snapshot} on {found.answers.exam}: {score.correct:,} of {score.count:,} right"
    lines = [head, *(f"  {name:{width}}  {value:>6}  {remark}" for name, value, remark in rows)]
    return [*lines, CHOSEN_BY_TEST] if found.chosen_by_test else lines


def _classes(found: Evaluation) -> list[str]:
    scores = found.per_class
    rows = [["class", "pictures", "precision", "recall", "F1"]]
    for index, name in enumerate(found.answers.classes):
        shares = (scores.precision[index], scores.recall[index], scores.f1[index])
        rows.append([name, f"{scores.support[index]:,}", *(share(value) for value in shares)])
    return table(rows)


def _confusion(found: Evaluation) -> list[str]:
    names = found.answers.classes
    rows = [["true", *shortened(names)]]
    rows += [
        [name, *(f"{count:,}" if count else "." for count in counts)]
        for name, counts in zip(names, found.confusion, strict=True)
    ]
    return ["confusion: a row for each true class, a column for each predicted class", *table(rows)]


def shortened(names: Sequence[str]) -> list[str]:
    """Names of a few letters that are still different."""
    length = _SHORT
    while len({name[:length] for name in names}) < len(names):
        length += 1
    return [name[:length] for name in names]


def _thresholds(found: Evaluation) -> list[str]:
    rows = [["threshold", "answered", "share", "wrong", "accuracy"]]
    for one in found.thresholds:
        counts = [f"{one.answered:,}", f"{one.answered / found.score.count:.1%}", f"{one.wrong:,}"]
        rows.append([f"{one.threshold:.2f}", *counts, share(one.accuracy)])
    return table(rows)


def _both(found: Evaluation) -> list[str]:
    """Precision and recall of both classes at each threshold, to tune a yes-or-no question."""
    head = [part for name in found.answers.classes for part in (f"{name[:_LONG]}: precision", "recall")]
    rows = [["threshold", *head]]
    for one in found.thresholds:
        pairs = zip(one.scores.precision, one.scores.recall, strict=True)
        rows.append([f"{one.threshold:.2f}", *(share(value) for pair in pairs for value in pair)])
    return table(rows)
