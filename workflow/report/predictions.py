"""The labels of pictures in words."""

from __future__ import annotations

from collections import Counter as Tally
from typing import TYPE_CHECKING

from workflow.words import share, table

if TYPE_CHECKING:
    from workflow.exams.predict import Predictions


def describe(result: Predictions) -> str:
    """One line for each picture, and how many there are of each label.

    Where the snapshot has a temperature, a head says which is the calibrated confidence and which Caffe's own.
    """
    rows = [[one.label, f"{one.probability:.4f}", str(one.path)] for one in result.predictions]
    if result.temperature is not None:
        for row, one in zip(rows, result.predictions, strict=True):
            row.insert(1, share(one.calibrated))
        rows.insert(0, ["label", "calibrated", "prob", "picture"])
    lines = table(rows, left=(0, 2 if result.temperature is None else 3))
    if len(result.predictions) > 1:
        tally = Tally(one.label for one in result.predictions).most_common()
        lines.append(f"{result.snapshot}: " + ", ".join(f"{count:,} {label}" for label, count in tally))
    return "\n".join(lines)
