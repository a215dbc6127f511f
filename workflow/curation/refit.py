"""A least squares classifier on features, from which pictures can be taken away and to which others can be added.

It is fitted in closed form from the Gram matrix of the features, so that a changed set costs as much as its changes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]
Labels = NDArray[np.int64]

DECAY = 0.3
"""Decay of the weights, for each picture; features have deviation 1."""

WIDEST = 2048
"""Features of more numbers are projected on so many random directions, which keeps distances nearly as they are."""

_BLOCK = 4096  # rows at a time
_FLAT = 1e-6


class Refit:
    """The classifier of a set of labelled rows.

    Args:
        rows: (N, D) features, any float; read by blocks, they may be mapped from a file.
        labels: (N,), 0..classes - 1.
        classes: C.
        decay: see `DECAY`.
    """

    def __init__(self, rows: Array, labels: Labels, classes: int, *, decay: float = DECAY) -> None:
        self.classes, self._decay = classes, decay
        width = rows.shape[1]
        self._projection: NDArray[np.float32] | None = None
        if width > WIDEST:
            directions = np.random.default_rng(0).standard_normal((width, WIDEST), np.float32)
            self._projection = directions / np.float32(np.sqrt(width))
        self._mean, self._spread = self._moments(rows)
        size = len(self._mean) + 1
        self._gram = np.zeros((size, size))
        self._product = np.zeros((size, classes))
        self._count = 0
        self._change(rows, labels, 1)

    def remove(self, rows: Array, labels: Labels) -> None:
        """Take rows away that are in the set with these labels."""
        self._change(rows, labels, -1)

    def add(self, rows: Array, labels: Labels) -> None:
        """Add rows with their labels."""
        self._change(rows, labels, 1)

    def solve(self) -> NDArray[np.float64]:
        """The weights, (D + 1, C), the biases in the last row; biases are not decayed."""
        damped = self._gram.copy()
        inner = np.arange(len(damped) - 1)
        damped[inner, inner] += self._decay * max(self._count, 1)
        damped[-1, -1] += _FLAT
        return np.asarray(np.linalg.solve(damped, self._product), np.float64)

    def scores(self, weights: NDArray[np.float64], rows: Array) -> NDArray[np.float64]:
        """(N, C): near the probability of each class, not limited to 0..1."""
        parts = [self._prepared(rows[start : start + _BLOCK]) @ weights for start in range(0, len(rows), _BLOCK)]
        return np.concatenate(parts) if parts else np.empty((0, self.classes))

    def _change(self, rows: Array, labels: Labels, sign: int) -> None:
        for start in range(0, len(rows), _BLOCK):
            block = self._prepared(rows[start : start + _BLOCK])
            wanted = np.eye(self.classes, dtype=np.float32)[labels[start : start + _BLOCK]]
            self._gram += sign * (block.T @ block)
            self._product += sign * (block.T @ wanted)
        self._count += sign * len(rows)

    def _moments(self, rows: Array) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        total, squares = 0.0, 0.0
        for start in range(0, len(rows), _BLOCK):
            block = self._projected(rows[start : start + _BLOCK]).astype(np.float64)
            total, squares = total + block.sum(0), squares + (block**2).sum(0)
        mean = np.asarray(total) / len(rows)
        spread = np.sqrt(np.maximum(np.asarray(squares) / len(rows) - mean**2, 0))
        return mean.astype(np.float32), np.where(spread > _FLAT, spread, np.inf).astype(np.float32)

    def _projected(self, rows: Array) -> NDArray[np.float32]:
        found = rows.astype(np.float32)
        return found if self._projection is None else found @ self._projection

    def _prepared(self, rows: Array) -> NDArray[np.float32]:
        """Standardised by the first set, with a column of ones."""
        found = (self._projected(rows) - self._mean) / self._spread
        return np.concatenate([found, np.ones((len(found), 1), np.float32)], axis=1)
