"""The mean picture of a training set, in float64; Caffe's tool adds in float32 and loses digits on large sets."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_BLOCK = 257  # times 255 is the most that 16 bits hold


class RunningMean:
    """Mean of pictures that are added one by one.

    Args:
        shape: (C, H, W) of each.
    """

    def __init__(self, shape: tuple[int, int, int]) -> None:
        self._shape = shape
        self._sum = np.zeros(shape, np.float64)
        self._most = max(1, min(_BLOCK, 2**22 // self._sum.size))
        self._pending: list[bytes] = []
        self._count = 0

    def add(self, pixels: bytes) -> None:
        """Add one picture: the bytes of its uint8 (C, H, W)."""
        self._pending.append(pixels)
        if len(self._pending) == self._most:
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
        block = np.frombuffer(b"".join(self._pending), np.uint8).reshape(-1, *self._shape)
        # whole numbers, exact in 16 bits for a block and in float64 for 10**13 pictures
        self._sum += block.sum(axis=0, dtype=np.uint16)
        self._count += len(block)
        self._pending.clear()
