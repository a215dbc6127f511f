"""The labels of pictures in words."""

from __future__ import annotations

from collections import Counter as Tally
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workflow.exams.predict import Predictions


def describe(result: Predictions) -> str:
    """One line for each picture, and how many there are of each label."""
    width = max((len(one.label) for one in result.predictions), default=0)
    lines = [f"{one.label:{width}}  {one.probability:.4f}  {one.path}" for one in result.predictions]
    if len(lines) > 1:
        tally = Tally(one.label for one in result.predictions).most_common()
        lines.append(f"{result.snapshot}: " + ", ".join(f"{count:,} {label}" for label, count in tally))
    return "\n".join(lines)
