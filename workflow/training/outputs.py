"""The accuracy and loss of a test pass, found by the usual names of outputs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from workflow.engines.base import Output


def accuracy_of(outputs: Sequence[Output]) -> float | None:
    """The first output whose name begins with `accuracy`, 0..1; None if there is none."""
    return _first(output.value for output in outputs if output.name.startswith("accuracy"))


def loss_of(outputs: Sequence[Output]) -> float | None:
    """The first output with a loss weight; None if there is none, or if it is not finite."""
    return _first(output.value for output in outputs if output.loss_weight)


def plain(value: float) -> float:
    """A float32 without the digits that its widening to 64 bits brings: 0.7121 for 0.71210002..."""
    return float(f"{value:.7g}")


def _first(values: Iterator[float]) -> float | None:
    value = next(values, None)
    return plain(value) if value is not None and math.isfinite(value) else None
