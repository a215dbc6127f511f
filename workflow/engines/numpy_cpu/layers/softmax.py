"""Softmax, and the loss that is made of it."""

from __future__ import annotations

import numpy as np

from workflow.engines.base import Array, Shape
from workflow.engines.numpy_cpu.layers.base import Layer, layer
from workflow.engines.numpy_cpu.layers.labels import check_counts, counted, scores_and_labels
from workflow.formats import caffe_pb2

_Loss = caffe_pb2.LossParameter
_TINY = np.finfo(np.float32).tiny


@layer("Softmax", bottoms=1, tops=1)
class Softmax(Layer):
    """y = exp(x - max x) / sum exp(x - max x) along `axis`.

    Source: src/caffe/layers/softmax_layer.cpp.
    """

    def top_shapes(self, *bottoms: Shape) -> list[Shape]:
        self.axis(self.message.softmax_param.axis, len(bottoms[0]))
        return [bottoms[0]]

    def forward(self, x: Array) -> Array:
        return softmax(x, self.message.softmax_param.axis)


@layer("SoftmaxWithLoss", bottoms=2, tops=1)
class SoftmaxWithLoss(Layer):
    """The mean negative logarithm of the probability given to the right class.

    bottom[0]  scores  (N, C, ...)          bottom[1]  labels  (N, ...)  outer x inner class numbers, 0..C-1
    top[0]     loss    ()                   -sum log max(p[label], FLT_MIN) / Z

    Z by `loss_param.normalization`: VALID labels that are not ignored, FULL all labels, BATCH_SIZE the product of
    the dimensions before `softmax_param.axis`, NONE 1; at least 1, so that a batch of ignored labels gives 0.
    Source: src/caffe/layers/softmax_loss_layer.cpp.
    """

    def top_shapes(self, *bottoms: Shape) -> list[Shape]:
        axis = self.axis(self.message.softmax_param.axis, len(bottoms[0]))
        check_counts(self, bottoms[0], bottoms[1], axis)
        if bottoms[0][:1] != bottoms[1][:1]:
            raise self.fail(f"bottoms of shapes {bottoms[0]} and {bottoms[1]}, expected equal first dimensions")
        return [()]

    def forward(self, x: Array, labels: Array) -> Array:
        param = self.message.loss_param
        scores, target = scores_and_labels(x, labels, self.axis(self.message.softmax_param.axis, x.ndim))
        ignored = param.ignore_label if param.HasField("ignore_label") else None
        valid = counted(self, target, scores.shape[1], ignored)
        safe = np.where(valid, target, 0)
        chosen = np.take_along_axis(softmax(scores, 1), safe[:, None], axis=1)[:, 0]  # (outer, inner)
        losses = np.where(valid, -np.log(np.maximum(chosen, _TINY)), 0)
        total = losses.sum(dtype=np.float64) / max(1, self._normalizer(scores.shape, int(valid.sum())))
        return np.array(total, np.float32)

    def _normalizer(self, scores: Shape, valid: int) -> int:
        param = self.message.loss_param
        mode = param.normalization
        if not param.HasField("normalization") and param.HasField("normalize"):
            mode = _Loss.VALID if param.normalize else _Loss.BATCH_SIZE
        outer, _, inner = scores
        return {_Loss.FULL: outer * inner, _Loss.VALID: valid, _Loss.BATCH_SIZE: outer, _Loss.NONE: 1}[mode]


def softmax(x: Array, axis: int) -> Array:
    """Probabilities along an axis; the greatest score is subtracted first, so that exp cannot overflow."""
    y: Array = np.exp(x - x.max(axis=axis, keepdims=True))
    y /= y.sum(axis=axis, keepdims=True)
    return y
