"""Accuracy."""

from __future__ import annotations

import torch
from torch import Tensor

from workflow.layers.base import Layer, Shape, axis_of, layer
from workflow.layers.labels import check_range, scores_and_labels


@layer("Accuracy", bottoms=2, tops=(1, 2))
class Accuracy(Layer):
    """The share of items whose right class is among the `top_k` highest scores.

    bottom[0]  scores  (N, C, ...)     bottom[1]  labels  outer x inner class numbers, 0..C-1
    top[0]     accuracy  ()  0..1      top[1]  accuracy of each class  (C,)  0 for a class without items

    Ties count against the item, as in Caffe's last version: it is right if fewer than top_k other classes score at
    least as much. (Caffe 1.0 proper let the higher class number win.) Source: src/caffe/layers/accuracy_layer.cpp.
    """

    def top_shapes(self, *bottoms: Shape) -> list[Shape]:
        axis = axis_of(self, self.message.accuracy_param.axis, len(bottoms[0]))
        return [(), (bottoms[0][axis],)][: len(self.spec.tops)]

    def forward(self, x: Tensor, labels: Tensor) -> tuple[Tensor, ...]:
        rights, totals = self.tally(x, labels)
        accuracy = rights.sum().float() / totals.sum().clamp(min=1)
        return (accuracy, rights.float() / totals.clamp(min=1))[: len(self.spec.tops)]

    def tally(self, x: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Items of each class that are right, and all items of it: int64 (C,) each."""
        param = self.message.accuracy_param
        scores, target = scores_and_labels(self, x, labels, axis_of(self, param.axis, x.dim()))
        classes = scores.shape[1]
        if param.top_k > classes:
            raise self.fail(f"top_k={param.top_k}, but there are {classes} classes")
        ignored = target == param.ignore_label if param.HasField("ignore_label") else None
        check_range(self, target, classes, ignored)
        counted = torch.ones_like(target, dtype=torch.bool) if ignored is None else ~ignored
        safe = target.masked_fill(~counted, 0)
        own = scores.gather(1, safe.unsqueeze(1))  # (outer, 1, inner)
        rivals = (scores >= own).sum(dim=1) - 1  # the class itself is among them
        right = (rivals < param.top_k) & counted
        return torch.bincount(safe[right], minlength=classes), torch.bincount(safe[counted], minlength=classes)
