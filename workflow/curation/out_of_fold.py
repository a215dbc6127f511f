"""Out-of-fold predictions of fast classifiers with closed-form solutions.

ridge       k-fold least squares on one-hot labels: the folds share one Gram matrix, less the part of the fold
neighbours  the labels of the nearest others
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workflow.engines.base import Array
from workflow.exams.features import Half
from workflow.exams.nearest import search
from workflow.exams.temperature import temperature

Labels = NDArray[np.int64]

FOLDS = 5
NEIGHBOURS = 50
_RIDGE = 0.3  # for each picture; features have deviation 1
_FLAT = 1e-12


def ridge(rows: Array, labels: Labels, classes: int, fold: NDArray[np.int64]) -> NDArray[np.float64]:
    """Out-of-fold scores: for each fold the least squares fit to all the others.

    Args:
        rows: float32 (N, D), standardised.
        labels: int64 (N,), 0..classes - 1.
        classes: C.
        fold: int64 (N,).

    Returns:
        float64 (N, C), near the probability of each class, not limited to 0..1.
    """
    wanted = np.eye(classes, dtype=np.float32)[labels]
    centre = wanted.mean(axis=0)
    wanted -= centre  # in place of a bias: the features have mean 0
    gram = (rows.T @ rows).astype(np.float64)
    product = (rows.T @ wanted).astype(np.float64)
    scores = np.zeros((len(rows), classes))
    for number in np.unique(fold):
        mine = rows[fold == number]
        left = gram - mine.T @ mine
        left[np.diag_indices(len(left))] += _RIDGE * len(rows)
        scores[fold == number] = mine @ np.linalg.solve(left, product - mine.T @ wanted[fold == number]) + centre
    return scores


def neighbours(rows: Array | Half, labels: Labels, classes: int, count: int = NEIGHBOURS) -> NDArray[np.float64]:
    """The share of each class among the nearest other pictures by cosine, each column standardised before.

    Args:
        rows: (N, D) features.
        labels: int64 (N,), 0..classes - 1.
        classes: C.
        count: of neighbours; fewer where there are fewer pictures.

    Returns:
        float64 (N, C), rows sum to 1.
    """
    wide = np.asarray(rows, np.float32)
    wide = ((wide - wide.mean(axis=0)) / (wide.std(axis=0) + 1e-6)).astype(np.float16)
    near, _ = search(wide, wide, count + 1, "cosine")
    other = near != np.arange(len(rows))[:, None]
    other[other.all(axis=1), -1] = False  # a picture may not be among its own nearest if others are equal to it
    kept = near[other].reshape(len(rows), -1)  # (N, K)
    return np.stack([(labels[kept] == number).mean(axis=1) for number in range(classes)], axis=1)


def blend(*witnesses: NDArray[np.float64], labels: Labels) -> NDArray[np.float64]:
    """Probabilities from scores of several kinds: each is divided by the spread of its margins, then one temperature.

    Args:
        witnesses: (N, C) each.
        labels: int64 (N,), by whose likelihood the temperature is chosen.

    Returns:
        float64 (N, C), rows sum to 1.
    """
    total = np.zeros(witnesses[0].shape)
    for scores in witnesses:
        total += scores / max(float(margin(scores, labels).std()), _FLAT)

    return _softmax(total / temperature(total, labels))


def margin(scores: NDArray[np.float64], labels: Labels) -> NDArray[np.float64]:
    """By how much the best other class beats the label, (N,); negative where the label is the best."""
    others = scores.copy()
    own = np.take_along_axis(scores, labels[:, None], axis=1)[:, 0]
    np.put_along_axis(others, labels[:, None], -np.inf, axis=1)
    result: NDArray[np.float64] = others.max(axis=1) - own
    return result


def _softmax(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    result: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return result
