"""8 x 8 grey thumbnails (64 bytes) for a cheap test of which pictures may be near-duplicates."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SIDE = 8


class Thumbnails:
    """Averages the areas of an 8 x 8 grid, over all channels.

    Args:
        shape: (C, H, W) of the pictures.
    """

    def __init__(self, shape: tuple[int, int, int]) -> None:
        channels, height, width = shape
        self._rows = areas(height) / channels  # (8, H)
        self._columns = areas(width).T.copy()  # (W, 8)

    def __call__(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """uint8 (N, C, H, W) -> uint8 (N, 64)."""
        grey = pixels.sum(axis=1, dtype=np.uint16).astype(np.float32)  # (N, H, W), channels summed
        small = self._rows @ grey @ self._columns  # (N, 8, 8)
        result: NDArray[np.uint8] = np.rint(small).astype(np.uint8).reshape(-1, SIDE * SIDE)
        return result


def areas(length: int, parts: int = SIDE) -> NDArray[np.float32]:
    """(parts, length): row k averages the k-th part of an axis; pixels on a border count by their share."""
    edges = np.linspace(0, length, parts + 1)
    pixel = np.arange(length)
    overlap = np.minimum(edges[1:, None], pixel + 1) - np.maximum(edges[:-1, None], pixel)
    result: NDArray[np.float32] = (overlap.clip(0) * (parts / length)).astype(np.float32)
    return result
