"""Split training, validation and test pictures by a hash of each file, so all generations have the same test set.

A picture's side is, in this order:
    1. what its folder says (train/, val/ or test/),
    2. what it was in the generation before,
    3. that of the pictures nearly equal to it, where 1 or 2 decides theirs (test, if they disagree, else validation),
    4. test if its fraction is less than the test share. The fraction is the first 64 bits of the sha256 of its bytes,
       divided by 2**64. Of the others it is validation if its second fraction, of the third 64 bits, is less than the
       validation share divided by what the test share leaves.

Where the generation before had no validation pictures, rule 2 leaves it to the second fraction which of its training
pictures are validation pictures from now on; its test pictures stay test pictures.

Nearly equal pictures have their fractions in common: those of the sha256 of their smallest sha256. Hashing once more
makes them as likely to be small as those of a single picture, however many they are; the smallest of their own
fractions would send most of the large groups to the test side.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

TRAIN, VALIDATION, TEST = 0, 1, 2
"""The larger wins where nearly equal pictures disagree."""
SPLITS = ("train", "validation", "test")
"""Their names in the files of a generation."""
UNDECIDED = -1

Sides = NDArray[np.int8]

_BLOCK = 65536
_SECOND = 2  # the digest's word of the second fraction; contact sheets choose by word 1


@dataclass(frozen=True, kw_only=True)
class Split:
    """The sides of all pictures, and how near-duplicates changed them."""

    sides: Sides
    """int8 (N,): 0 train, 1 validation, 2 test."""
    moved: int
    """Pictures that went to the other side, to be with those nearly equal to them."""
    leaked: dict[int, int]
    """Side -> its pictures that nearly equal training ones, since folders or the generation before decided so."""
    decided: NDArray[np.bool_]
    """bool (N,): whether rule 1, 2 or 3 decided, and not the test share."""
    fractions: NDArray[np.float64]
    """float64 (N,) in [0, 1): what rule 4 compares with the test share; the same for nearly equal pictures."""


def fractions(digests: NDArray[np.uint8], word: int = 0) -> NDArray[np.float64]:
    """float64 (N,) in [0, 1): the fraction of each digest, uint8 (N, 32), by 64 bits of it: word 0, 1, 2 or 3."""
    result = np.empty(len(digests))
    for start in range(0, len(digests), _BLOCK):
        part = digests[start : start + _BLOCK, 8 * word : 8 * word + 8]
        bits = np.ascontiguousarray(part).view(">u8").reshape(-1)
        # 53 bits, so that no rounding reaches 1
        result[start : start + _BLOCK] = (bits >> np.uint64(11)) / 2.0**53
    return result


def decide(
    digests: NDArray[np.uint8],
    explicit: Sides,
    known: Sides,
    groups: Sequence[NDArray[np.intp]],
    share: float,
    validation: float = 0.0,
    *,
    cut: bool = False,
) -> Split:
    """Apply the four rules.

    Args:
        digests: uint8 (N, 32), sha256 of each file's bytes.
        explicit: int8 (N,), a side where folders decide, else -1.
        known: int8 (N,), the sides that they had in the generation before, else -1.
        groups: numbers of nearly equal pictures.
        share: of test pictures, between 0 and 1.
        validation: share of validation pictures; `share` and it are less than 1. With 0 a picture is a validation
            picture only where its folder says so.
        cut: whether the generation before had validation pictures.
    """
    free = explicit == UNDECIDED
    fixed = np.where(free, known, explicit)
    if not validation:
        fixed[free & (fixed == VALIDATION)] = TRAIN
    # training pictures of a generation that had no validation pictures
    uncut = free & (fixed == TRAIN) & (not cut)
    limit = validation / (1 - share)
    own, second = fractions(digests), fractions(digests, _SECOND)
    alone = _sides(fixed, uncut, own, second, share, limit)
    for group in groups:
        own[group], second[group] = _common(digests[group])
        bound = group[fixed[group] != UNDECIDED]
        if len(bound):
            fixed[group[fixed[group] == UNDECIDED]] = fixed[bound].max()
            uncut[group] = uncut[bound].all()
    sides = _sides(fixed, uncut, own, second, share, limit)
    leaked = Counter(
        side for group in groups if TRAIN in sides[group] for side in sides[group].tolist() if side != TRAIN
    )
    return Split(
        sides=sides,
        moved=int(np.count_nonzero(sides != alone)),
        leaked=dict(sorted(leaked.items())),
        decided=fixed != UNDECIDED,
        fractions=own,
    )


def _sides(
    fixed: Sides,
    uncut: NDArray[np.bool_],
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    share: float,
    limit: float,
) -> Sides:
    """Rule 4 for all that is not fixed, and for training pictures of which validation pictures are yet to be cut."""
    sides = np.where(fixed == UNDECIDED, np.where(first < share, np.int8(TEST), np.int8(TRAIN)), fixed)
    sides[(uncut | ((fixed == UNDECIDED) & (sides == TRAIN))) & (second < limit)] = VALIDATION
    return sides


def _common(digests: NDArray[np.uint8]) -> tuple[float, float]:
    """The fraction and the second fraction of a group of nearly equal pictures."""
    again = hashlib.sha256(min(digest.tobytes() for digest in digests)).digest()
    row = np.frombuffer(again, np.uint8).reshape(1, 32)
    return float(fractions(row)[0]), float(fractions(row, _SECOND)[0])
