"""Resizing as `caffe.io.resize_image` does it, without scikit-image.

Both of its ways are linear and separable, so that a resize is `rows @ picture @ columns.T` with one matrix for each
axis. Source of the behaviour: python/caffe/io.py, with scikit-image 0.24's `resize` (order 0 or 1, mode constant)
and scipy's `ndimage.zoom`; equal to them to 1e-6.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workflow.pycaffe.refusals import Refused

Array = NDArray[np.float32]
Matrix = NDArray[np.float64]


def resize_image(im: NDArray[Any], new_dims: Sequence[int], interp_order: int = 1) -> Array:
    """Bring a picture to another height and width; its aspect ratio is not kept.

    Grey and colour pictures are smoothed before they shrink and mixed with black at the borders, others (features)
    are neither, as in pycaffe. This is not what `convert_imageset` does, and not what `wf prepare` does.

    Args:
        im: (H, W, K) of any range.
        new_dims: height and width.
        interp_order: 1 for linear, 0 for the nearest neighbour.

    Returns:
        float32 (height, width, K).

    Raises:
        Refused: another interp_order.
    """
    if interp_order not in (0, 1):
        raise Refused(f"resize_image: interp_order={interp_order}, expected 0 or 1")
    height, width = (int(size) for size in new_dims[:2])
    if im.shape[-1] not in (1, 3):
        return _apply(im, *(_stretch(*pair, interp_order) for pair in ((im.shape[0], height), (im.shape[1], width))))
    low, high = im.min(), im.max()
    if high <= low:
        return np.full((height, width, im.shape[-1]), low, dtype=np.float32)
    unit = (im.astype(np.float64) - low) / (float(high) - float(low))
    smooth = height < im.shape[0] or width < im.shape[1]
    rows, columns = (
        _sample(old, new, interp_order) @ (_smooth(old, (old / new - 1) / 2) if smooth else np.eye(old))
        for old, new in ((im.shape[0], height), (im.shape[1], width))
    )
    resized = _apply(unit, rows, columns).clip(0, 1)
    scaled: Array = (resized * (float(high) - float(low)) + float(low)).astype(np.float32)
    return scaled


def _apply(picture: NDArray[Any], rows: Matrix, columns: Matrix) -> Array:
    tall = np.tensordot(rows, picture.astype(np.float64), axes=(1, 0))  # (height, W, K)
    return np.ascontiguousarray(np.tensordot(tall, columns, axes=(1, 1)).transpose(0, 2, 1), np.float32)


def _sample(old: int, new: int, order: int) -> Matrix:
    """Interpolate at the centre of each new pixel; everything beyond the border is 0."""
    return _taps((np.arange(new, dtype=np.float64) + 0.5) * (old / new) - 0.5, old, order)


def _stretch(old: int, new: int, order: int) -> Matrix:
    """First pixel on first pixel, last on last."""
    step = (old - 1) / (new - 1) if new > 1 else 0.0
    return _taps((np.arange(new, dtype=np.float64) * step).clip(0, old - 1), old, order)


def _taps(position: NDArray[np.float64], old: int, order: int) -> Matrix:
    """A row of weights for each position: two neighbours for order 1, the nearest for order 0."""
    first = np.floor(position if order else position + 0.5).astype(int)
    share = position - first if order else np.zeros(len(position))
    matrix = np.zeros((len(position), old))
    for index, weight in ((first, 1 - share), (first + 1, share)):
        inside = (index >= 0) & (index < old)
        matrix[np.flatnonzero(inside), index[inside]] += weight[inside]
    return matrix


def _smooth(size: int, sigma: float) -> Matrix:
    """Convolution with a normal curve cut at four sigma; beyond the border everything is 0."""
    if sigma <= 0:
        return np.eye(size)
    radius = int(4 * sigma + 0.5)
    curve = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    curve /= curve.sum()
    distance = np.arange(size)[:, None] - np.arange(size)[None, :]
    return np.where(abs(distance) <= radius, curve[(distance + radius).clip(0, 2 * radius)], 0.0)
