"""The balanced accuracy of a test pass: what an Accuracy layer sees, counted class by class.

Caffe's own log has only the share of all pictures that are right, which says little where one class is rare.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from workflow.layers import Layer
from workflow.layers.accuracy import Accuracy


class Recalls:
    """Counts for the first Accuracy layer of a net that asks for the best class alone; nothing without one."""

    def __init__(self, layers: Sequence[Layer]) -> None:
        self._layer = next(
            (one for one in layers if isinstance(one, Accuracy) and one.message.accuracy_param.top_k == 1), None
        )
        self._counts: tuple[Tensor, Tensor] | None = None

    def see(self, blobs: Mapping[str, Tensor]) -> None:
        """Count the items of one forward pass."""
        if self._layer is None:
            return
        scores, labels = (blobs[name] for name in self._layer.spec.bottoms)
        counts = self._layer.tally(scores, labels)
        before = self._counts or (torch.zeros_like(counts[0]), torch.zeros_like(counts[1]))
        self._counts = before[0] + counts[0], before[1] + counts[1]

    @property
    def mean(self) -> float | None:
        """Of the recalls of all classes that have items, 0..1; None where nothing was counted."""
        if self._counts is None:
            return None
        rights, totals = self._counts
        there = totals > 0
        return float((rights[there].double() / totals[there]).mean()) if bool(there.any()) else None

    @property
    def only(self) -> int | None:
        """The class that every item was given, as far as the recalls tell: its own is 1, all others are 0."""
        if self._counts is None:
            return None
        rights, totals = self._counts
        there, right = (totals > 0).nonzero().flatten().tolist(), (rights > 0).nonzero().flatten().tolist()
        return right[0] if len(there) > 1 and len(right) == 1 and rights[right[0]] == totals[right[0]] else None
