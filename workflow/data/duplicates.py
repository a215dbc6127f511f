"""Files with the same bytes, and pictures that are nearly equal.

Nearly equal is what a re-encoded, rescaled, recoloured or slightly shifted copy is to the net: after decoding and
resizing, the root mean square of the difference is at most 1 + 0.4 s, where s is the smaller standard deviation of
the two pictures (so that two drawings on much white are not treated as copies). Of the pairs that this finds in
CIFAR-10, all that were looked at are copies; at 0.55 s the first pair of different things comes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from workflow.data.thumbnails import SIDE

Indices = NDArray[np.intp]

_BANDS = 7  # of 16 bits each: copies agree in all bits of at least one (measured: 99 %)
_DEAD_ZONE = 4  # a flat area stays flat when it is re-encoded
_NEIGHBOURS = 16  # compared within a band, in the order of brightness: bounds the work however alike pictures are
_BRIGHTER = 8  # of 255: the thumbnails of copies differ by less in their means
_TOLERANCE = 0.4
_BLOCK = 4096
_PLACES = 2**16  # in the order of brightness, at a time
_PAIRS, _VALUES = 2**16, 2**18  # pairs that are looked at, and values of pictures that are compared, at a time
_RANKED = np.dtype([("place", "u4"), ("rank", "u4")][:: 1 if sys.byteorder == "little" else -1])


def same_bytes(digests: NDArray[np.uint8], indices: Indices) -> list[Indices]:
    """Groups of two or more files with equal digests, each in ascending order.

    Args:
        digests: uint8 (N, 32).
        indices: which of the N files are looked at.
    """
    first = np.ascontiguousarray(digests[indices, :8]).view(np.uint64).reshape(-1)
    ordered = np.sort(first)
    if not np.any(ordered[1:] == ordered[:-1]):
        return []
    order = np.argsort(first, kind="stable")
    same = np.flatnonzero(ordered[1:] == ordered[:-1])
    groups: dict[bytes, set[int]] = {}  # 64 bits may agree by chance: the whole digest decides
    for place in same:
        for index in indices[order[place : place + 2]]:
            groups.setdefault(digests[index].tobytes(), set()).add(int(index))
    return [np.array(sorted(group)) for group in groups.values() if len(group) > 1]


def nearly_equal(
    thumbnails: NDArray[np.uint8], indices: Indices, pixels: Callable[[Indices], NDArray[np.uint8]]
) -> list[Indices]:
    """Groups of two or more pictures that are nearly equal, directly or by way of others, each in ascending order.

    Args:
        thumbnails: uint8 (N, 64).
        indices: which of the N pictures are looked at.
        pixels: gives some pictures by their numbers, (M, C, H, W); asked for candidates only.
    """
    groups = _Groups(len(thumbnails))
    different = np.empty(0, np.int64)  # pairs that were compared in vain: they may come again in another band
    for pairs in _candidates(thumbnails, indices):
        for start in range(0, len(pairs), _PAIRS):
            codes = np.sort(_codes(pairs[start : start + _PAIRS]))  # in order they are found five times as fast
            codes = codes[~_among(different, codes)]
            left = np.stack([codes >> 32, codes & 2**32 - 1], axis=1)
            while len(left := left[groups.apart(left)]):
                chosen, left = _spanning(left, groups)
                alike = _alike_of(chosen, pixels)
                for one, other in chosen[alike].tolist():
                    groups.join(one, other)
                if not alike.all():
                    # two runs in order, which a stable sort merges
                    different = np.sort(np.concatenate([different, np.sort(_codes(chosen[~alike]))]), kind="stable")
    return groups.all()


class _Groups:
    """Which of the numbers 0 .. `count` - 1 belong together, directly or by way of others."""

    def __init__(self, count: int) -> None:
        self._parent = np.arange(count, dtype=np.int32)

    def root(self, number: int) -> int:
        """The same for all numbers of a group."""
        while (above := int(self._parent[number])) != number:
            number = above
        return number

    def roots(self, numbers: Indices) -> Indices:
        """`root` of each."""
        found: Indices = numbers
        while np.any((above := self._parent[found].astype(np.intp)) != found):
            found = above
        return found

    def apart(self, pairs: Indices) -> NDArray[np.bool_]:
        """Whether the two of each pair, (M, 2), are in different groups; (M,)."""
        ends = self.roots(pairs)
        different: NDArray[np.bool_] = ends[:, 0] != ends[:, 1]
        return different

    def join(self, one: int, other: int) -> bool:
        """Make one group of two; whether they were two."""
        first, second = self.root(one), self.root(other)
        self._parent[second] = first
        return first != second

    def all(self) -> list[Indices]:
        """Those of two or more, each in ascending order, by their smallest numbers."""
        roots = self._parent
        while np.any((above := roots[roots]) != roots):
            roots = above
        below = roots != np.arange(len(roots), dtype=np.int32)
        grouped = below.copy()
        grouped[roots[below]] = True
        codes = np.flatnonzero(grouped)
        heads = roots[codes].astype(np.int64)
        heads <<= 32
        codes |= heads
        codes.sort()
        np.right_shift(codes, 32, out=heads)
        starts = np.flatnonzero(heads[1:] != heads[:-1]) + 1
        codes &= 2**32 - 1
        return sorted(np.split(codes, starts) if len(codes) else [], key=lambda group: int(group[0]))


def _codes(pairs: Indices) -> NDArray[np.int64]:
    """A number for each pair, (M,)."""
    codes: NDArray[np.int64] = pairs[:, 0].astype(np.int64) << 32 | pairs[:, 1]
    return codes


def _among(known: NDArray[np.int64], codes: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which of some numbers are among those that are known, which are in order."""
    if not len(known):
        return np.zeros(len(codes), np.bool_)
    found: NDArray[np.bool_] = known[np.minimum(np.searchsorted(known, codes), len(known) - 1)] == codes
    return found


def _spanning(pairs: Indices, groups: _Groups) -> tuple[Indices, Indices]:
    """The pairs to compare now, since none of them follows from the others, and those that may follow from these."""
    names, numbers = np.unique(groups.roots(pairs), return_inverse=True)
    supposed = _Groups(len(names))
    ones, others = numbers.reshape(pairs.shape).T
    joined = (supposed.join(one, other) for one, other in zip(ones.tolist(), others.tolist(), strict=True))
    chosen = np.fromiter(joined, np.bool_, len(pairs))
    return pairs[chosen], pairs[~chosen]


def _alike_of(pairs: Indices, pixels: Callable[[Indices], NDArray[np.uint8]]) -> NDArray[np.bool_]:
    """Which of some pairs, (M, 2), have nearly equal pictures; (M,)."""
    most = max(1, _VALUES // pixels(pairs[0, :1]).size)
    blocks = (pairs[start : start + most].T for start in range(0, len(pairs), most))
    return np.concatenate([_alike(pixels(one), pixels(other)) for one, other in blocks])


def _alike(ones: NDArray[np.uint8], others: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Of pairs of pictures: bool (M,)."""
    a, b = (some.reshape(len(some), -1).astype(np.float32) for some in (ones, others))
    difference = a - b
    distance = np.sqrt(np.mean(difference * difference, axis=1))
    found: NDArray[np.bool_] = distance <= 1 + _TOLERANCE * np.minimum(a.std(axis=1), b.std(axis=1))
    return found


def _candidates(thumbnails: NDArray[np.uint8], indices: Indices) -> Iterator[Indices]:
    """Pairs that agree in a band and whose thumbnails are close, some at a time: (M, 2), the smaller number first."""
    if len(indices) < 2:
        return
    brightness, spread = _moments(thumbnails, indices)
    for band in range(_BANDS):
        ranked = _ranked(thumbnails, indices, brightness, band)
        order, rank = ranked["place"], ranked["rank"]
        for shift in range(1, min(_NEIGHBOURS, len(order) - 1) + 1):
            found = 0
            for start in range(0, len(order) - shift, _PLACES):
                left = slice(start, min(start + _PLACES, len(order) - shift))
                right = slice(left.start + shift, left.stop + shift)
                hits = np.flatnonzero(rank[right] - rank[left] <= _BRIGHTER) + start
                found += len(hits)
                one, other = order[hits], order[hits + shift]
                close = _close(thumbnails, indices[one], indices[other], np.minimum(spread[one], spread[other]))
                yield np.sort(np.stack([indices[one[close]], indices[other[close]]], axis=1), axis=1)
            if not found:  # nor would there be any farther away
                break


def _ranked(
    thumbnails: NDArray[np.uint8], indices: Indices, brightness: NDArray[np.uint8], band: int
) -> NDArray[np.void]:
    """Places (M,) by `rank`, which is 65536 times the key in a band and the brightness; those of one rank in order.

    Places and ranks are sorted as one number each, in place: arrays of a million pictures are large.
    """
    ranked = np.empty(len(indices), _RANKED)
    for start in range(0, len(indices), _BLOCK):
        part = slice(start, start + _BLOCK)
        keys = _key(thumbnails[indices[part]], band).astype(np.uint32)
        ranked["rank"][part] = keys << 16 | brightness[part]
        ranked["place"][part] = np.arange(start, start + len(keys))
    ranked.view(np.uint64).sort()
    return ranked


def _close(
    thumbnails: NDArray[np.uint8], first: Indices, second: Indices, spread: NDArray[np.float32]
) -> NDArray[np.bool_]:
    """A fast, permissive test of pairs, with the smaller standard deviation of each: bool (M,)."""
    distance = np.empty(len(first), np.float32)
    for start in range(0, len(first), _BLOCK):
        part = slice(start, start + _BLOCK)
        difference = thumbnails.take(first[part], axis=0).astype(np.int32)
        difference -= thumbnails.take(second[part], axis=0)
        distance[part] = np.einsum("ij,ij->i", difference, difference)
    close: NDArray[np.bool_] = np.sqrt(distance / thumbnails.shape[1]) <= 2 + _TOLERANCE * spread
    return close


def _moments(thumbnails: NDArray[np.uint8], indices: Indices) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Mean, uint8 (M,), and standard deviation, float32 (M,), of each thumbnail."""
    mean, spread = np.empty(len(indices), np.uint8), np.empty(len(indices), np.float32)
    for start in range(0, len(indices), _BLOCK):
        part = thumbnails[indices[start : start + _BLOCK]]
        sums = part.sum(axis=1, dtype=np.int32)
        wide = part.astype(np.int32)
        squares = np.einsum("ij,ij->i", wide, wide)
        mean[start : start + _BLOCK] = sums // part.shape[1]
        spread[start : start + _BLOCK] = np.sqrt(squares * part.shape[1] - sums * sums) / part.shape[1]
    return mean, spread


def _key(thumbnails: NDArray[np.uint8], band: int) -> NDArray[np.uint16]:
    """uint16 (M,): the signs of 16 differences between neighbouring areas from all over each picture."""
    one, other = _NEIGHBOURING[:, band::_BANDS]
    rising = thumbnails.take(one, axis=1).astype(np.int16) - thumbnails.take(other, axis=1) > _DEAD_ZONE
    return np.packbits(rising, axis=1).view(np.uint16).reshape(-1)


def _neighbouring() -> Indices:
    """(2, 112): the areas that are compared, across and then down; bit k is in band k modulo 7."""
    areas = np.arange(SIDE * SIDE).reshape(SIDE, SIDE)
    across = np.stack([areas[:, 1:], areas[:, :-1]]).reshape(2, -1)
    down = np.stack([areas[1:], areas[:-1]]).reshape(2, -1)
    return np.concatenate([across, down], axis=1)


_NEIGHBOURING = _neighbouring()
