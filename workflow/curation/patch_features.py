"""Features learned without labels: responses to whitened patches, after Coates, Lee and Ng (2011).

A net remembers the wrong labels that it was trained with, and so do its features: a classifier on them agrees with
the labels even where it has not seen them. These features cannot, because they are made from pixels alone:

    patches of 6 x 6, less their mean, divided by their deviation, whitened (ZCA)
    response to each of K patches taken at random from the pictures themselves, less 0.5, negative ones cut to 0
    summed over the four quarters of the picture; that of the picture and of its mirror image are averaged

A. Coates, H. Lee, A. Y. Ng: An Analysis of Single-Layer Networks in Unsupervised Feature Learning, AISTATS 2011.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from workflow.engines.base import Array
from workflow.exams.answers import Progress

Pixels = NDArray[np.uint8]

_PATCH, _STRIDE, _QUARTERS = 6, 2, 2
_FILTERS = 400
_SAMPLED = 100_000  # patches that the whitening is learned from, at most 100 a picture
_CONTRAST = 10.0  # added to a patch's variance: one of noise is not blown up (pixels of 0..255)
_SMOOTHING = 0.1  # added to the eigenvalues of the patches' covariance
_THRESHOLD = 0.5
_BLOCK = 100
_SIDE = 32  # larger pictures are shrunk to between this and twice this


@dataclass(frozen=True, kw_only=True, eq=False)
class Filters:
    """The filters that patches are compared with."""

    weights: Array
    """float32 (C * 6 * 6, K): whitening and patch in one."""
    offset: Array
    """float32 (K,): the response to the mean patch."""
    size: tuple[int, int]
    """Height and width of a patch."""


def shrunk(pixels: NDArray[np.generic]) -> Pixels:
    """Pictures of 64 pixels or more made smaller by a whole number, by averaging: uint8 (N, C, H, W)."""
    height, width = pixels.shape[2:]
    factor = min(height, width) // _SIDE
    if factor < 2:
        return np.asarray(pixels, np.uint8)
    rows, columns = height // factor, width // factor
    whole = pixels[:, :, : rows * factor, : columns * factor]
    parts = whole.reshape(*pixels.shape[:2], rows, factor, columns, factor)
    result: Pixels = np.rint(parts.mean(axis=(3, 5), dtype=np.float32)).astype(np.uint8)
    return result


def learn(pixels: Pixels, seed: int = 0) -> Filters:
    """Filters from the pictures themselves; fewer than 400 where there are fewer than 4,000 pictures.

    Args:
        pixels: uint8 (N, C, H, W).
        seed: of the choice of patches.
    """
    rng = np.random.default_rng(seed)
    count, _, height, width = pixels.shape
    size = min(_PATCH, height), min(_PATCH, width)
    windows = sliding_window_view(pixels, size, axis=(2, 3))  # (N, C, H', W', 6, 6)
    sampled = min(_SAMPLED, 100 * count)
    picture, row, column = (rng.integers(0, limit, sampled) for limit in (count, *windows.shape[2:4]))
    patches = _even(windows[picture, :, row, column].reshape(sampled, -1).astype(np.float32))
    mean = patches.mean(axis=0)
    values, vectors = np.linalg.eigh(np.cov(patches.T).reshape(len(mean), -1))
    whitening = ((vectors / np.sqrt(values + _SMOOTHING)) @ vectors.T).astype(np.float32)
    chosen = (patches[: min(_FILTERS, max(16, count // 10))] - mean) @ whitening
    chosen /= np.linalg.norm(chosen, axis=1, keepdims=True) + 1e-6
    weights = whitening @ chosen.T
    return Filters(weights=weights, offset=mean @ weights, size=size)


def features(pixels: Pixels, filters: Filters, progress: Progress | None = None) -> Array:
    """Standardised features; 1.2 ms a picture of 32 x 32 on one core.

    Args:
        pixels: uint8 (N, C, H, W).
        filters: as `learn` gives them.
        progress: called with (done, all).

    Returns:
        float32 (N, 4 K), each column of mean 0 and deviation 1 (of 0 where all pictures are equal).
    """
    parts = []
    for start in range(0, len(pixels), _BLOCK):
        block = pixels[start : start + _BLOCK].astype(np.float32)
        parts.append((_responses(block, filters) + _responses(block[..., ::-1], filters)) / 2)
        if progress is not None:
            progress(min(start + _BLOCK, len(pixels)), len(pixels))
    result: Array = np.concatenate(parts)
    result -= result.mean(axis=0)
    result /= result.std(axis=0) + 1e-6
    return result


def _responses(block: Array, filters: Filters) -> Array:
    """(B, C, H, W) -> (B, 4 K), summed over quarters."""
    windows = sliding_window_view(block, filters.size, axis=(2, 3))[:, :, ::_STRIDE, ::_STRIDE]
    count, _, rows, columns = windows.shape[:4]
    patches = _even(windows.transpose(0, 2, 3, 1, 4, 5).reshape(count * rows * columns, -1))
    found = np.maximum(patches @ filters.weights - (filters.offset + _THRESHOLD), 0)
    grid = found.reshape(count, rows, columns, -1)
    for axis, length in ((1, rows), (2, columns)):
        grid = np.add.reduceat(grid, sorted({length * part // _QUARTERS for part in range(_QUARTERS)}), axis=axis)
    flat: Array = grid.reshape(count, -1)
    return flat


def _even(patches: Array) -> Array:
    """Each patch normalised to mean 0 and deviation 1, independent of brightness and contrast."""
    patches = patches - patches.mean(axis=1, keepdims=True)
    result: Array = patches / np.sqrt(patches.var(axis=1, keepdims=True) + _CONTRAST)
    return result
