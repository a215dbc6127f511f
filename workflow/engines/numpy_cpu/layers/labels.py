"""Class numbers as Caffe passes them: floats in a blob, truncated to integers, checked here.

Real Caffe does not check them in its release builds, and reads outside the scores.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from workflow.engines.base import Array, Shape
from workflow.engines.numpy_cpu.layers.base import Layer

Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]


def check_counts(layer: Layer, scores: Shape, labels: Shape, axis: int) -> None:
    """Refuse labels whose number is not that of the scores' items.

    Raises:
        NetError: the counts do not fit.
    """
    expected = math.prod(scores[:axis]) * math.prod(scores[axis + 1 :])
    if math.prod(labels) != expected:
        raise layer.fail(
            f"{math.prod(labels)} labels of shape {labels} for scores of shape {scores}, expected {expected}"
        )


def scores_and_labels(scores: Array, labels: Array, axis: int) -> tuple[Array, Integers]:
    """Bring both to (outer, classes, inner) and (outer, inner)."""
    outer, inner = math.prod(scores.shape[:axis]), math.prod(scores.shape[axis + 1 :])
    with np.errstate(invalid="ignore"):  # NaN becomes a number out of range, and is refused as such
        numbers = labels.reshape(outer, inner).astype(np.int64)
    return scores.reshape(outer, scores.shape[axis], inner), numbers


def counted(layer: Layer, labels: Integers, classes: int, ignored: int | None) -> Booleans:
    """Which labels count: all but those equal to `ignored`.

    Raises:
        NetError: one that counts is not in 0..classes-1.
    """
    valid = np.ones_like(labels, bool) if ignored is None else labels != ignored
    wrong = valid & ((labels < 0) | (labels >= classes))
    if wrong.any():
        label = int(labels[wrong][0])
        raise layer.fail(f"label {label}, but there are {classes} classes (0 to {classes - 1})", fault="L05")
    return valid
