"""A net's confidence, calibrated by one number: its probabilities as a power, each row normalised again.

    calibrated[n, k] = p[n, k] ** (1/T) / sum_j p[n, j] ** (1/T)  =  softmax(logits / T)

The temperature T makes the validation pictures' own classes most likely (Guo et al. 2017, section 4.2). It leaves the
order of the classes as it is, so that labels and accuracy do not change. Caffe's own probabilities stay beside it.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_COLDEST, _HOTTEST = 0.02, 50.0
_STEPS = 60  # of bisection: beyond the precision of float64
_TINY = np.finfo(np.float32).tiny


def temperature(scores: NDArray[np.floating], labels: NDArray[np.integer]) -> float:
    """The temperature that makes the labels most likely, to three digits.

    The likelihood is that of Platt's targets (1999), (N + 1) / (N + 2) for the label: where all of N pictures are
    right, the label alone would ask for a confidence of 1.

    Args:
        scores: (N, C) logits, or logarithms of probabilities, which differ by a number for each picture.
        labels: (N,), 0 .. C-1.

    Returns:
        Between 0.02 and 50; 1 where there is but one class.
    """
    count, classes = scores.shape
    if classes < 2 or not count:
        return 1.0
    wide = scores.astype(np.float64)
    wide -= wide.max(axis=1, keepdims=True)
    targets = np.full(wide.shape, 1 / (count + 2) / (classes - 1))
    np.put_along_axis(targets, labels[:, None], (count + 1) / (count + 2), axis=1)
    wanted = float((targets * wide).sum(axis=1).mean())
    low, high = np.log(1 / _HOTTEST), np.log(1 / _COLDEST)  # of the factor 1/T; the likelihood has one maximum
    for _ in range(_STEPS):
        middle = (low + high) / 2
        powers = np.exp(wide * np.exp(middle))
        expected = float(((powers * wide).sum(axis=1) / powers.sum(axis=1)).mean())
        low, high = (middle, high) if expected < wanted else (low, middle)
    return float(f"{np.exp(-(low + high) / 2):.3g}")


def scaled(probabilities: NDArray[np.floating], temperature: float) -> Floats:
    """The calibrated confidence of each class, float64 (N, C), rows sum to 1.

    Args:
        probabilities: (N, C), 0..1, as Caffe's Softmax gives them.
        temperature: above 0; 1 changes nothing.
    """
    powers = np.exp(logarithms(probabilities) / temperature)
    result: Floats = powers / powers.sum(axis=1, keepdims=True)
    return result


def logarithms(probabilities: NDArray[np.floating]) -> Floats:
    """Of probabilities (N, C), less the row's greatest; what has underflowed to 0 counts as the least float32."""
    logs = np.log(np.maximum(probabilities.astype(np.float64), _TINY))
    result: Floats = logs - logs.max(axis=1, keepdims=True)
    return result


def calibrated(shares: Mapping[str, float], temperature: float | None) -> dict[str, float]:
    """The calibrated confidence of each class of one picture, 0..1; empty without a temperature, or without classes."""
    if temperature is None or not shares:
        return {}
    row = scaled(np.array([list(shares.values())]), temperature)[0]
    return dict(zip(shares, row.tolist(), strict=True))
