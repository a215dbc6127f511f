"""The course of a run: its best test pass, and growing test loss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from workflow.report.curves import read_metrics

_WINDOW = 200  # training steps over which a mean is taken
_GROWN = 1.2  # times its lowest value: a test loss that is said to have grown


@dataclass(frozen=True, kw_only=True)
class Growth:
    """A loss of the test passes that has grown since its lowest value."""

    split: str
    """The pictures of the test passes, `validation` or `test`."""
    since: int
    """The iteration of the lowest loss."""
    test_loss: tuple[float, float]
    """Then and at the last test."""
    train_loss: tuple[float, float] | None
    """Means over up to 200 steps before both."""

    @property
    def words(self) -> str:
        """One line for people."""
        low, last = self.test_loss
        text = f"{self.split} loss lowest at iteration {self.since:,} ({low:.4f}); it has grown to {last:.4f} since"
        if self.train_loss is None:
            return text
        verb = "fell" if self.train_loss[1] < self.train_loss[0] else "grew"
        return f"{text}, the training loss {verb} from {self.train_loss[0]:.3g} to {self.train_loss[1]:.3g}"

    def json(self) -> dict[str, Any]:
        """Keys since, test_loss, train_loss."""
        return {"since": self.since, "test_loss": self.test_loss, "train_loss": self.train_loss}


@dataclass(frozen=True, kw_only=True)
class Course:
    """The test passes of a run, without that of the untrained net."""

    best: tuple[int, float, float | None] | None
    """(iteration, accuracy, loss) of the best pass, see `Metrics.best`."""
    growth: Growth | None
    """Where the last loss of a test pass is at least 1.2 times the lowest."""


def course(metrics: Path) -> Course:
    """Read it from a run's metrics.jsonl; empty where there is no such file."""
    if not metrics.is_file():
        return Course(best=None, growth=None)
    found = read_metrics(metrics)
    losses = {iteration: loss for iteration, loss in found.test_loss if iteration}
    return Course(best=found.best, growth=_growth(found.split, losses, found.loss))


def _growth(split: str, losses: dict[int, float], steps: Sequence[tuple[int, float]]) -> Growth | None:
    if not losses:
        return None
    low, last = min(losses, key=lambda iteration: (losses[iteration], iteration)), max(losses)
    if losses[last] < _GROWN * losses[low] or last == low:
        return None
    means = [_mean(steps, iteration) for iteration in (low, last)]
    train = None if None in means else (means[0] or 0.0, means[1] or 0.0)
    return Growth(split=split, since=low, test_loss=(losses[low], losses[last]), train_loss=train)


def _mean(steps: Sequence[tuple[int, float]], iteration: int) -> float | None:
    before = [loss for number, loss in steps if iteration - _WINDOW <= number < iteration]
    return fmean(before) if before else None
