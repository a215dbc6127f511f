"""Accuracy."""

from __future__ import annotations

import numpy as np

from workflow.engines.base import Array, Shape
from workflow.engines.numpy_cpu.layers.base import Layer, layer
from workflow.engines.numpy_cpu.layers.labels import check_counts, counted, scores_and_labels


@layer("Accuracy", bottoms=2, tops=(1, 2))
class Accuracy(Layer):
    """The share of items whose right class is among the `top_k` highest scores.

    bottom[0]  scores  (N, C, ...)     bottom[1]  labels  outer x inner class numbers, 0..C-1
    top[0]     accuracy  ()  0..1      top[1]  accuracy of each class  (C,)  0 for a class without items

    Ties count against the item, as in Caffe's last version: it is right if fewer than top_k other classes score at
    least as much. (Caffe 1.0 proper let the higher class number win.) Source: src/caffe/layers/accuracy_layer.cpp.
    """

    def top_shapes(self, *bottoms: Shape) -> list[Shape]:
        param = self.message.accuracy_param
        axis = self.axis(param.axis, len(bottoms[0]))
        check_counts(self, bottoms[0], bottoms[1], axis)
        classes = bottoms[0][axis]
        if param.top_k > classes:
            raise self.fail(f"top_k={param.top_k}, but there are {classes} classes")
        shapes: list[Shape] = [(), (classes,)]
        return shapes[: len(self.spec.tops)]

    def forward(self, x: Array, labels: Array) -> list[Array]:
        param = self.message.accuracy_param
        scores, target = scores_and_labels(x, labels, self.axis(param.axis, x.ndim))
        classes = scores.shape[1]
        valid = counted(self, target, classes, param.ignore_label if param.HasField("ignore_label") else None)
        safe = np.where(valid, target, 0)
        own = np.take_along_axis(scores, safe[:, None], axis=1)  # (outer, 1, inner)
        rivals = (scores >= own).sum(axis=1) - 1  # the class itself is among them
        right = (rivals < param.top_k) & valid
        accuracy = np.array(right.sum() / max(1, valid.sum()), np.float32)
        totals = np.bincount(safe[valid], minlength=classes)
        rights = np.bincount(safe[right], minlength=classes)
        return [accuracy, (rights / np.maximum(totals, 1)).astype(np.float32)][: len(self.spec.tops)]
