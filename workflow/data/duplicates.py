"""Files with the same bytes, and pictures that are nearly equal.

Nearly equal is what a re-encoded, rescaled, recoloured or slightly shifted copy is to the net: after decoding and
resizing, the root mean square of the difference is at most 1 + 0.4 s, where s is the smaller standard deviation of
the two pictures (so that two drawings on much white are not treated as copies). Of the pairs that this finds in
CIFAR-10, all that were looked at are copies; at 0.55 s the first pair of different things comes.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from workflow.data.thumbnails import SIDE

Indices = NDArray[np.intp]

_BANDS = 7  # of 16 bits each: copies agree in all bits of at least one (measured: 99 %)
_DEAD_ZONE = 4  # a flat area stays flat when it is re-encoded
_NEIGHBOURS = 16  # compared within a band, in the order of brightness: bounds the work however alike pictures are
_TOLERANCE = 0.4
_BLOCK = 4096


def same_bytes(digests: NDArray[np.uint8], indices: Indices) -> list[Indices]:
    """Groups of two or more files with equal digests, each in ascending order.

    Args:
        digests: uint8 (N, 32).
        indices: which of the N files are looked at.
    """
    first = np.ascontiguousarray(digests[indices, :8]).view(np.uint64).reshape(-1)
    order = np.argsort(first, kind="stable")
    same = np.flatnonzero(first[order][1:] == first[order][:-1])
    groups: dict[bytes, set[int]] = {}  # 64 bits may agree by chance: the whole digest decides
    for place in same:
        for index in indices[order[place : place + 2]]:
            groups.setdefault(digests[index].tobytes(), set()).add(int(index))
    return [np.array(sorted(group)) for group in groups.values() if len(group) > 1]


def nearly_equal(
    thumbnails: NDArray[np.uint8], indices: Indices, pixels: Callable[[int], NDArray[np.uint8]]
) -> list[Indices]:
    """Groups of two or more pictures that are nearly equal, directly or by way of others, each in ascending order.

    Args:
        thumbnails: uint8 (N, 64).
        indices: which of the N pictures are looked at.
        pixels: gives a picture by its number; asked for candidates only.
    """
    parent: dict[int, int] = {}

    def root(index: int) -> int:
        while (above := parent.get(index, index)) != index:
            index = above
        return index

    for pair in _candidates(thumbnails, indices).tolist():
        first, second = divmod(pair, len(thumbnails))
        if root(first) != root(second) and _alike(pixels(first), pixels(second)):
            parent[root(second)] = root(first)
            parent.setdefault(root(first), root(first))
    groups: dict[int, list[int]] = {}
    for index in sorted(parent):
        groups.setdefault(root(index), []).append(index)
    return [np.array(group) for group in groups.values()]


def _alike(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> bool:
    a, b = one.astype(np.float32), other.astype(np.float32)
    difference = a - b
    return bool(np.sqrt(np.mean(difference * difference)) <= 1 + _TOLERANCE * min(a.std(), b.std()))


def _candidates(thumbnails: NDArray[np.uint8], indices: Indices) -> NDArray[np.int64]:
    """Pairs that agree in a band and whose thumbnails are close, each as (smaller number) * N + (larger number)."""
    pairs = np.empty(0, np.int64)
    if len(indices) < 2:
        return pairs
    keys = _keys(thumbnails, indices)
    brightness = _brightness(thumbnails, indices)
    for band in range(_BANDS):
        order = np.argsort(keys[:, band].astype(np.int32) << 8 | brightness, kind="stable")
        key, mean = keys[order, band], brightness[order]
        for shift in range(1, min(_NEIGHBOURS, len(order) - 1) + 1):
            same = key[shift:] == key[:-shift]
            if not same.any():
                break
            hits = np.flatnonzero(same & (mean[shift:] - mean[:-shift] <= 8))
            first, second = indices[order[hits]], indices[order[hits + shift]]
            close = _close(thumbnails, first, second)
            lower, upper = np.minimum(first, second)[close], np.maximum(first, second)[close]
            pairs = np.union1d(pairs, lower.astype(np.int64) * len(thumbnails) + upper)
    return pairs


def _close(thumbnails: NDArray[np.uint8], first: Indices, second: Indices) -> NDArray[np.bool_]:
    """A fast, permissive test of pairs: bool (M,)."""
    close = np.zeros(len(first), bool)
    for start in range(0, len(first), _BLOCK):
        part = slice(start, start + _BLOCK)
        a, b = thumbnails[first[part]].astype(np.float32), thumbnails[second[part]].astype(np.float32)
        distance = np.sqrt(np.mean((a - b) ** 2, axis=1))
        close[part] = distance <= 2 + _TOLERANCE * np.minimum(a.std(axis=1), b.std(axis=1))
    return close


def _brightness(thumbnails: NDArray[np.uint8], indices: Indices) -> NDArray[np.int32]:
    """int32 (M,), 0..255."""
    mean = np.empty(len(indices), np.int32)
    for start in range(0, len(indices), _BLOCK):
        part = thumbnails[indices[start : start + _BLOCK]]
        mean[start : start + _BLOCK] = part.mean(axis=1, dtype=np.float32)
    return mean


def _keys(thumbnails: NDArray[np.uint8], indices: Indices) -> NDArray[np.uint16]:
    """uint16 (M, 7): in each band the signs of 16 differences between neighbouring areas from all over the picture."""
    keys = np.empty((len(indices), _BANDS), np.uint16)
    spread = np.arange(_BANDS * 16).reshape(16, _BANDS).T.reshape(-1)  # band 0 gets bits 0, 7, 14, ...
    for start in range(0, len(indices), _BLOCK):
        small = thumbnails[indices[start : start + _BLOCK]].reshape(-1, SIDE, SIDE).astype(np.int16)
        across = (small[:, :, 1:] - small[:, :, :-1]) > _DEAD_ZONE
        down = (small[:, 1:, :] - small[:, :-1, :]) > _DEAD_ZONE
        bits = np.concatenate([across.reshape(len(small), -1), down.reshape(len(small), -1)], axis=1)  # (B, 112)
        keys[start : start + _BLOCK] = np.packbits(np.ascontiguousarray(bits[:, spread]), axis=1).view(np.uint16)
    return keys
