"""Select pictures one by one, without near-duplicates and with a quota for each class."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workflow.curation import near_duplicates
from workflow.data.sniff import PictureError
from workflow.engines.base import Array
from workflow.errors import DataError
from workflow.exams.picture import Picture
from workflow.models.model import Model
from workflow.paths import path_or_address


@dataclass(frozen=True, kw_only=True)
class Pick:
    """The selected pictures."""

    indices: tuple[int, ...]
    """In the order of the pile."""
    twins: int
    """Pictures left out as near-duplicates of selected ones."""


def pick(
    model: Model, pictures: Sequence[Picture], classes: NDArray[np.int64], order: Sequence[int], count: int
) -> Pick:
    """Take up to `count` pictures in an order, no two of them twins.

    Each class has an equal share of `count`. Where that leaves some to be taken, the next in the order fill it.

    Args:
        model: whose preprocessing reads the files.
        pictures: all.
        classes: of each picture, (N,).
        order: which of them may be taken, best first.
        count: at least 1.
    """
    share = math.ceil(count / max(len({int(classes[index]) for index in order}), 1))
    crowd = _Crowd(model, pictures)
    taken: Counter[int] = Counter()
    waiting: list[int] = []
    for index in order:
        if len(crowd.members) == count:
            break
        label = int(classes[index])
        if taken[label] >= share:
            waiting.append(index)
        elif crowd.joins(index):
            taken[label] += 1
    for index in waiting:
        if len(crowd.members) == count:
            break
        crowd.joins(index)
    members = set(crowd.members)
    return Pick(indices=tuple(index for index in order if index in members), twins=crowd.refused)


class _Crowd:
    """The pictures selected so far; rejects near-duplicates of them."""

    def __init__(self, model: Model, pictures: Sequence[Picture]) -> None:
        self._model = model
        self._pictures = pictures
        self._hashes: list[near_duplicates.Hashes] = []
        self._small: list[Array] = []
        self.members: list[int] = []
        self.refused = 0

    def joins(self, index: int) -> bool:
        """Take the picture unless it is a twin, which is counted; gives whether it was taken."""
        try:
            pixels = self._model.read(path_or_address(self._pictures[index].path))[None]
        except (DataError, PictureError):  # it was deleted after it was scored
            return False
        value, small = near_duplicates.hashes(pixels), near_duplicates.miniatures(pixels)
        if self._hashes:
            everyone = np.concatenate(self._small)
            pairs, _ = near_duplicates.close(value, np.concatenate(self._hashes))
            if (near_duplicates.alike(small, pairs, everyone) >= near_duplicates.LIKENESS).any():
                self.refused += 1
                return False
        self._hashes.append(value)
        self._small.append(small)
        self.members.append(index)
        return True
