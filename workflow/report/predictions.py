"""The labels of pictures in words."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterator
from typing import TYPE_CHECKING

from workflow.words import columns, share, table

if TYPE_CHECKING:
    from workflow.exams.predict import Prediction, Predictions

_BLOCK = 500  # lines


def describe(result: Predictions) -> str:
    """One line for each picture, and how many there are of each label.

    Where the snapshot has a temperature, a head says which is the calibrated confidence and which Caffe's own.
    """
    return "\n".join(lines(result))


def lines(result: Predictions) -> Iterator[str]:
    """The same, line by line: memory holds some hundred."""
    tally: Tally[str] = Tally()
    for (label, _), count in result.tally.items():
        tally[label] += count
    calibrated = result.temperature is not None
    head = ["label", *["calibrated"] * calibrated, "prob", "picture"]
    widest = [max((_called(*both) for both in result.tally), key=columns, default=""), *[""] * calibrated, "0.0000", ""]
    rulers = [head, widest] if calibrated else [widest]  # so that all blocks have the same columns
    left = (0, len(head) - 1)
    if calibrated:
        yield table(rulers, left=left)[0]
    for start in range(0, len(result.predictions), _BLOCK):
        block = [_row(one, calibrated=calibrated) for one in result.predictions[start : start + _BLOCK]]
        yield from table([*rulers, *block], left=left)[len(rulers) :]
    if len(result.predictions) > 1:
        yield f"{result.snapshot}: " + ", ".join(f"{count:,} {label}" for label, count in tally.most_common())


def _row(one: Prediction, *, calibrated: bool) -> list[str]:
    more = [share(one.calibrated)] if calibrated else []
    return [_called(one.label, one.class_name), *more, f"{one.probability:.4f}", str(one.path)]


def _called(label: str, class_name: str) -> str:
    """`fox`, or `unknown (fox)`."""
    return label if label == class_name else f"{label} ({class_name})"
