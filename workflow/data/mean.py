"""The mean picture of a training set, in float64; Caffe's tool adds in float32 and loses digits on large sets."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_BLOCK = 256


class RunningMean:
    """Mean of pictures that are added one by one.

    Args:
        shape: (C, H, W) of each.
    """

    def __init__(self, shape: tuple[int, int, int]) -> None:
        self._sum = np.zeros(shape, np.float64)
        self._block = np.empty((max(1, min(_BLOCK, 2**22 // self._sum.size)), *shape), np.uint8)
        self._pending = 0
        self._count = 0

    def add(self, pixels: NDArray[np.uint8]) -> None:
        """Add one picture, uint8 (C, H, W)."""
        self._block[self._pending] = pixels
        self._pending += 1
        if self._pending == len(self._block):
            self._flush()

    def result(self) -> NDArray[np.float32]:
        """float32 (C, H, W).

        Raises:
            ValueError: no picture was added.
        """
        self._flush()
        if not self._count:
            raise ValueError("the mean of no pictures")
        return (self._sum / self._count).astype(np.float32)

    def _flush(self) -> None:
        # whole numbers, exact in 32 bits for a block and in float64 for 10**13 pictures
        self._sum += self._block[: self._pending].sum(axis=0, dtype=np.uint32)
        self._count += self._pending
        self._pending = 0
