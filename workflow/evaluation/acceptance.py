"""Accept a picture from a threshold on: which classes are meant, false accepts, and recall."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workflow.errors import UsageError, did_you_mean
from workflow.evaluation.metrics import interval

Scores = NDArray[np.float64]
"""Probabilities, 0..1; in double precision, so that a threshold between two of them stays between them."""

THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999)
"""Those of the table."""

_NEGATIVE = re.compile(
    r"(others?|neg(ative)?s?|background|bg|none|nothing|unknown|junk|rest|misc)|(not|no|non)[ _-].*", re.IGNORECASE
)


@dataclass(frozen=True, kw_only=True)
class Point:
    """False accepts and recall at one threshold."""

    threshold: float
    accepted: int
    count: int
    """Pictures of junk."""
    recall: float | None
    """The share of the test pictures of positive classes whose own class reaches it; None if there are none."""

    @property
    def rate(self) -> float:
        """The false-accept rate, 0..1."""
        return self.accepted / self.count

    def json(self) -> dict[str, Any]:
        """With the rate's 95 % interval."""
        return {
            "threshold": self.threshold,
            "accepted": self.accepted,
            "false_accept_rate": self.rate,
            "interval": list(interval(self.accepted, self.count)),
            "recall": self.recall,
        }


def positives(classes: Sequence[str], asked: str | None) -> tuple[str, ...]:
    """The classes that junk must not be given.

    Raises:
        UsageError: there is no such class.
    """
    if asked is not None:
        if asked not in classes:
            raise UsageError(f"no class '{asked}'", hint=did_you_mean(asked, list(classes)))
        return (asked,)
    return tuple(name for name in classes if not _NEGATIVE.fullmatch(name)) or tuple(classes)


def keeping(scores: Scores, max_rate: float) -> float | None:
    """The lowest threshold, to a few digits, that less than a share of the scores reach.

    Args:
        scores: at least one.
        max_rate: the share, in (0, 1].

    Returns:
        None if so many scores are 1 that no threshold helps.
    """
    allowed = math.ceil(round(max_rate * len(scores), 9)) - 1  # less than the rate, not just as much
    least = float(np.sort(scores)[::-1][allowed])  # this score must be refused, and all equal ones
    if least >= 1:
        return None
    for digits in range(2, 12):
        unit = 10.0**digits
        threshold = math.floor(least * unit + 1) / unit
        if least < threshold <= least + (1 - least) / 10:
            return threshold
    return 1.0


def point(scores: Scores, own: Scores, threshold: float) -> Point:
    """False accepts and recall at a threshold.

    Args:
        scores: of pictures of junk, (N,).
        own: of test pictures, the probability of their own class, (M,).
        threshold: 0..1.
    """
    return Point(
        threshold=threshold,
        accepted=int((scores >= threshold).sum()),
        count=len(scores),
        recall=float((own >= threshold).mean()) if len(own) else None,
    )
