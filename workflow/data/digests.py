"""Find sha256 digests among many: sixteen bytes for each beside the digest itself, where a dictionary takes 150."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_BLOCK = 65536


class Digests:
    """Digests by their places: `Digests(rows).find(others)`.

    Args:
        rows: uint8 (N, 32); of equal ones the last counts.
    """

    def __init__(self, rows: NDArray[np.uint8]) -> None:
        self.rows = rows
        heads = _heads(rows)
        self._order = np.argsort(heads, kind="stable")
        self._heads = heads[self._order]

    def __len__(self) -> int:
        return len(self.rows)

    def find(self, others: NDArray[np.uint8]) -> NDArray[np.intp]:
        """The place of each of some digests, uint8 (M, 32), among the rows; -1 where it is not there."""
        found = np.full(len(others), -1, np.intp)
        for start in range(0, len(others) if len(self) else 0, _BLOCK):
            part = others[start : start + _BLOCK]
            heads = _heads(part)
            places = np.searchsorted(self._heads, heads, side="right") - 1
            open_ = np.flatnonzero(places >= 0)
            while len(open_):  # 64 bits may agree by chance: the whole digest decides
                rows = self._order[places[open_]]
                same = (self.rows[rows] == part[open_]).all(axis=1)
                found[start + open_[same]] = rows[same]
                open_ = open_[~same & (self._heads[places[open_]] == heads[open_])]
                places[open_] -= 1
                open_ = open_[places[open_] >= 0]
        return found


def _heads(rows: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """uint64 (N,): the first eight bytes of each."""
    heads: NDArray[np.uint64] = np.ascontiguousarray(rows[:, :8]).view(np.uint64).reshape(-1)
    return heads
