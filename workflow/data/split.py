"""Split training and test pictures by a hash of each file, so all generations have the same test set.

A picture's side is, in this order:
    1. what its folder says (train/ or test/),
    2. what it was in the generation before,
    3. that of the pictures nearly equal to it, where 1 or 2 decides theirs (test, if they disagree),
    4. test if its fraction is less than the test share. The fraction is the first 64 bits of the sha256 of its bytes,
       divided by 2**64.

Nearly equal pictures have one fraction in common: that of the sha256 of their smallest sha256. Hashing once more makes
it as likely to be small as that of a single picture, however many they are; the smallest of their own fractions would
send most of the large groups to the test side.
"""

from __future__ import annotations

import hashlib
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
    """bool (N,): whether rule 1, 2 or 3 decided, and not the test share."""
    fractions: NDArray[np.float64]
    """float64 (N,) in [0, 1): what rule 4 compares with the test share; the same for nearly equal pictures."""


def fractions(digests: NDArray[np.uint8]) -> NDArray[np.float64]:
    """float64 (N,) in [0, 1): the fraction of each digest, uint8 (N, 32)."""
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
    """Apply the four rules.

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
    own = fractions(digests)
    compared = own.copy()
    sides = fixed.copy()
    decided = fixed != UNDECIDED
    leaked = 0
    for group in groups:
        compared[group] = _common(digests[group])
        bound = fixed[group][fixed[group] != UNDECIDED]
        if len(bound):
            sides[group[fixed[group] == UNDECIDED]] = bound.max()
            decided[group] = True
        if len(set(bound.tolist())) > 1:
            leaked += int(np.count_nonzero(sides[group] == TEST))
    sides[~decided] = compared[~decided] < share
    alone = np.where(fixed == UNDECIDED, own < share, fixed)
    moved = int(np.count_nonzero(sides != alone))
    return Split(sides=sides, moved=moved, leaked=leaked, decided=decided, fractions=compared)


def _common(digests: NDArray[np.uint8]) -> float:
    """The fraction of a group of nearly equal pictures."""
    again = hashlib.sha256(min(digest.tobytes() for digest in digests)).digest()
    return float(fractions(np.frombuffer(again, np.uint8).reshape(1, 32))[0])
