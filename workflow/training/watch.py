"""Signs that a run learns nothing, said once while it can still be stopped."""

from __future__ import annotations

import logging
import math

from workflow.engines.base import Step

_log = logging.getLogger("workflow")
_FLAT_STEPS = 500
_FLAT_WIDTH = 0.02  # share of ln(classes) within which a loss counts as guessing
_EXPLOSION = 1e4


class Watch:
    """Looks at every loss; warns once when it stays at ln(classes), once when it grows beyond measure."""

    def __init__(self, classes: int) -> None:
        self.guess = math.log(classes)
        self._flat = 0
        self._first: float | None = None
        self._said: set[str] = set()

    def see(self, step: Step) -> None:
        """Take one loss in."""
        if self._first is None:
            self._first = max(step.loss, 1e-3)
        near = abs(step.loss - self.guess) <= _FLAT_WIDTH * self.guess
        self._flat = self._flat + 1 if near else 0
        if self._flat == _FLAT_STEPS:
            self._say(
                "flat",
                f"loss stays at {step.loss:.3f}, the logarithm of the number of classes: the net guesses; "
                "look at the mean and the labels, or change base_lr",
            )
        if step.loss > _EXPLOSION * self._first:
            self._say("grows", f"loss grew from {self._first:.3g} to {step.loss:.3g}; lower base_lr in the solver")

    def _say(self, sign: str, text: str) -> None:
        if sign not in self._said:
            self._said.add(sign)
            _log.warning("%s", text)
