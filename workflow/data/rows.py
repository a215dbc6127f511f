"""The rows of a batch that one pass computes, where a batch is dealt out to several passes or processes.

Row k goes to part k modulo `parts`, as Caffe deals records to its solvers. Source: src/caffe/layers/data_layer.cpp,
DataLayer::Skip.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T", bound=Any)


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Part `index` of `parts`."""

    index: int
    """0 .. parts - 1."""
    parts: int
    batch: int | None = None
    """Rows of the whole batch, at least `parts`; None where each part is as large as the prototxt's batch, so that the
    whole is `parts` times that."""

    @property
    def own(self) -> slice:
        """The numbers of this part's rows in the whole batch."""
        return slice(self.index, None, self.parts)

    @property
    def share(self) -> float:
        """The share of the whole batch's rows that are this part's, 0..1."""
        return 1 / self.parts if self.batch is None else self._count(self.batch) / self.batch

    def whole(self, size: int) -> int:
        """How many rows a Data layer whose prototxt says `size` deals out in one iteration."""
        return size * self.parts if self.batch is None else size

    def grown(self, size: int) -> int:
        """The first dimension of the whole batch's blob, where this part's blob has `size`."""
        return size * self.parts if self.batch is None else size * self.batch // self._count(self.batch)

    def of(self, whole: T) -> T:
        """This part of an array or tensor (rows, ...) of the whole batch; a row may be several of its first axis."""
        if self.batch is None:
            own: T = whole[self.own]
        else:
            own = whole.reshape(self.batch, -1, *whole.shape[1:])[self.own].reshape(-1, *whole.shape[1:])
        return own

    def _count(self, rows: int) -> int:
        return math.ceil((rows - self.index) / self.parts)
