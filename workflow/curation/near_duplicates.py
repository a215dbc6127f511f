"""Find pictures that are copies of each other but differ in bytes: re-encoded, rescaled, recoloured or cropped.

    hash       ImageHash's `phash`: the signs of the 64 lowest frequencies of a cosine transform against their median
    candidates pairs of hashes that differ in at most 8 of 64 bits
    twins      candidates whose 16 x 16 grey miniatures correlate by at least 0.9

Measured on the 60,000 pictures of CIFAR-10, of which some hundred are known to be in it twice, across its split,
too: of ImageHash's hashes, phash finds most for the fewest candidates (of 315 pairs that correlate by more than 0.95
pixel by pixel, 71 % within 8 bits, at 1,800 candidates in all; the average hash takes 4,600,000 for 83 %). Of 100
candidates above 0.9 that were looked at, 98 showed the same picture, of 100 between 0.8 and 0.9 about 70.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workflow.data.thumbnails import areas
from workflow.engines.base import Array
from workflow.exams.picture import Picture

BITS = 8
"""Bits of 64 in which the hashes of twins may differ."""
LIKENESS = 0.9
"""The least correlation of the miniatures of twins."""

Hashes = NDArray[np.uint64]

_SIDE = 16  # of a miniature
_ROWS, _COLUMNS = 512, 16384  # hashes compared at a time: 8 M pairs, 64 MB


@dataclass(frozen=True, kw_only=True)
class Twins:
    """Two near-duplicates."""

    first: Picture
    second: Picture
    splits: tuple[str, str]
    """Splits of the first and of the second: `train` or `test`."""
    bits: int
    """In which the hashes differ, 0..8."""
    likeness: float
    """Correlation of the miniatures, 0.9..1."""

    @property
    def across_classes(self) -> bool:
        """Whether they have different labels: one is wrong, or the net cannot tell the two apart."""
        return self.first.truth != self.second.truth

    @property
    def across_split(self) -> bool:
        """Whether one is a test picture whose twin the net was trained on."""
        return self.splits[0] != self.splits[1]

    @property
    def kind(self) -> str:
        """The kind of the pair in words."""
        words = ["across classes"] * self.across_classes + ["across the split"] * self.across_split
        return ", ".join(words) or "within a class"

    def json(self) -> dict[str, Any]:
        """As `wf suspects --json` gives it."""
        return {
            "path": self.first.path,
            "label": self.first.truth,
            "split": self.splits[0],
            "twin": self.second.path,
            "twin_label": self.second.truth,
            "twin_split": self.splits[1],
            "bits": self.bits,
            "likeness": round(self.likeness, 4),
            "kind": self.kind,
        }


def hashes(pixels: NDArray[np.generic]) -> Hashes:
    """The perceptual hash of each picture; 0.15 ms a picture.

    Args:
        pixels: uint8 (N, C, H, W) in any order of channels: their mean is hashed.

    Returns:
        uint64 (N,); `np.bitwise_count(a ^ b)` bits differ.
    """
    from imagehash import phash  # with scipy.fftpack: 0.2 s
    from PIL import Image

    grey = np.rint(pixels.mean(axis=1, dtype=np.float32)).astype(np.uint8)  # (N, H, W)
    bits = [np.asarray(phash(Image.fromarray(one)).hash).reshape(-1) for one in grey]
    packed = np.packbits(np.array(bits, bool).reshape(-1, 64), axis=1)  # (N, 8)
    return packed.view(">u8").reshape(-1).astype(np.uint64)


def miniatures(pixels: NDArray[np.generic]) -> Array:
    """16 x 16 grey miniatures, each centred and normalised, so the dot product of two is their correlation.

    Args:
        pixels: uint8 (N, C, H, W).

    Returns:
        float32 (N, 256); zeros for a picture of a single grey level.
    """
    grey = pixels.mean(axis=1, dtype=np.float32)  # (N, H, W)
    rows, columns = areas(grey.shape[1], _SIDE), areas(grey.shape[2], _SIDE)
    small = (rows @ grey @ columns.T).reshape(len(grey), -1)
    small -= small.mean(axis=1, keepdims=True)
    length = np.linalg.norm(small, axis=1, keepdims=True)
    result: Array = np.divide(small, length, out=np.zeros_like(small), where=length > 1e-3)
    return result


def close(
    values: Hashes, others: Hashes | None = None, *, bits: int = BITS
) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """All pairs of hashes that differ in few bits, by popcount over blocks: 60,000 against each other in 8 s.

    Args:
        values: uint64 (N,).
        others: uint64 (M,); None looks for pairs within `values`.
        bits: the most that may differ.

    Returns:
        int64 (P, 2), the numbers in `values` and in `others`, in order; within `values` the first is the smaller.
        uint8 (P,), the bits that differ.
    """
    against = values if others is None else others
    pairs: list[NDArray[np.int64]] = [np.empty((0, 2), np.int64)]
    differing: list[NDArray[np.uint8]] = [np.empty(0, np.uint8)]
    for start in range(0, len(values), _ROWS):
        for first in range(start if others is None else 0, len(against), _COLUMNS):
            found = np.bitwise_count(values[start : start + _ROWS, None] ^ against[None, first : first + _COLUMNS])
            row, column = np.nonzero(found <= bits)
            pair = np.stack([row + start, column + first], axis=1)
            kept = pair[:, 0] < pair[:, 1] if others is None else np.ones(len(pair), bool)
            pairs.append(pair[kept])
            differing.append(found[row, column][kept])
    every, many = np.concatenate(pairs), np.concatenate(differing)
    order = np.lexsort((every[:, 1], every[:, 0]))
    return every[order], many[order]


def alike(small: Array, pairs: NDArray[np.int64], others: Array | None = None) -> Array:
    """The correlation of the miniatures of each pair, float32 (P,)."""
    against = small if others is None else others
    likeness: Array = np.einsum("pd,pd->p", small[pairs[:, 0]], against[pairs[:, 1]])
    return likeness


def twins(pictures: Sequence[Picture], splits: Sequence[str], values: Hashes, small: Array) -> list[Twins]:
    """The twins among some pictures: those across classes first, then those across the split, the most alike first.

    Args:
        pictures: N.
        splits: of each, `train` or `test`.
        values: their `hashes`, uint64 (N,).
        small: their `miniatures`, float32 (N, 256).
    """
    pairs, bits = close(values)
    likeness = alike(small, pairs)
    found = [
        Twins(
            first=pictures[pair[0]],
            second=pictures[pair[1]],
            splits=(splits[pair[0]], splits[pair[1]]),
            bits=int(differing),
            likeness=float(same),
        )
        for pair, differing, same in zip(pairs, bits, likeness, strict=True)
        if same >= LIKENESS
    ]
    return sorted(found, key=lambda one: (not one.across_classes, not one.across_split, -one.likeness, one.first.path))
