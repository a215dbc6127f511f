"""Which pictures are test pictures: decided by the bytes of the file, so that generations sit the same exam.

A picture's side is, in this order:
    1. what its folder says (train/ or test/),
    2. what it was in the generation before,
    3. that of the pictures nearly equal to it, where 1 or 2 decides theirs (test, if they disagree),
    4. for a group of nearly equal pictures of which none is decided: the side of the one with the smallest hash,
    5. test if the first 64 bits of the sha256 of its bytes, as a fraction of 2**64, are less than the test share.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

TRAIN, TEST = 0, 1
UNDECIDED = -1

Sides = NDArray[np.int8]


@dataclass(frozen=True, kw_only=True)
class Split:
    """The sides of all pictures, and what the nearly equal ones did to them."""

    sides: Sides
    """int8 (N,): 0 train, 1 test."""
    moved: int
    """Pictures that went to the other side, to be with those nearly equal to them."""
    leaked: int
    """Test pictures that nearly equal training ones, since folders or the generation before decided so."""
    decided: NDArray[np.bool_]
    """bool (N,): whether rule 1 or 2 decided."""


def fractions(digests: NDArray[np.uint8]) -> NDArray[np.float64]:
    """float64 (N,) in [0, 1): the number of each picture that rule 5 compares with the test share."""
    first = np.ascontiguousarray(digests[:, :8]).view(">u8").reshape(-1)
    # 53 bits, so that no rounding reaches 1
    result: NDArray[np.float64] = (first >> np.uint64(11)).astype(np.float64) / 2.0**53
    return result


def decide(
    digests: NDArray[np.uint8],
    explicit: Sides,
    known: Mapping[bytes, int],
    groups: Sequence[NDArray[np.intp]],
    share: float,
) -> Split:
    """Apply the five rules.

    Args:
        digests: uint8 (N, 32), sha256 of each file's bytes.
        explicit: int8 (N,), 0 or 1 where folders decide, else -1.
        known: the sides of the generation before, by digest.
        groups: numbers of nearly equal pictures.
        share: of test pictures, between 0 and 1.
    """
    fixed = explicit.copy()
    if known:
        for index in np.flatnonzero(fixed == UNDECIDED):
            fixed[index] = known.get(digests[index].tobytes(), UNDECIDED)
    hashed = (fractions(digests) < share).astype(np.int8)
    sides = np.where(fixed == UNDECIDED, hashed, fixed).astype(np.int8)
    moved = leaked = 0
    for group in groups:
        free = group[fixed[group] == UNDECIDED]
        bound = fixed[group][fixed[group] != UNDECIDED]
        smallest = min(group, key=lambda index: digests[index].tobytes())
        side = hashed[smallest] if not len(bound) else bound.max()
        moved += int(np.count_nonzero(sides[free] != side))
        sides[free] = side
        if len(set(bound.tolist())) > 1:
            leaked += int(np.count_nonzero(sides[group] == TEST))
    return Split(sides=sides, moved=moved, leaked=leaked, decided=fixed != UNDECIDED)
