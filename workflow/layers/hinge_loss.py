"""HingeLoss."""

from __future__ import annotations

from torch import Tensor, relu
from torch.nn.functional import one_hot

from workflow.formats import caffe_pb2
from workflow.layers.base import Layer, Shape, layer
from workflow.layers.labels import check_range
from workflow.layers.loss import check_batches


@layer("HingeLoss", bottoms=2, tops=1)
class HingeLoss(Layer):
    """One against all: the right class should score above 1, every other below -1.

    bottom[0]  x  (N, ...)  C numbers an item, up to 4 axes        bottom[1]  labels  N class numbers, 0..C-1
    top[0]     loss  ()     sum max(0, 1 - d x)^p / N, d = 1 for the label, -1 else; p = 1 (norm: L1) or 2 (L2)

    Source: src/caffe/layers/hinge_loss_layer.cpp.
    """

    def top_shapes(self, *bottoms: Shape) -> list[Shape]:
        check_batches(self, *bottoms)
        if len(bottoms[0]) > 4:
            raise self.fail(f"bottom of shape {bottoms[0]}, expected at most 4 axes")
        return [()]

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        self.top_shapes(tuple(x.shape), tuple(labels.shape))
        items = x.shape[0]
        if labels.numel() != items:
            raise self.fail(f"{labels.numel()} labels for {items} items, expected as many")
        scores = x.float().reshape(items, -1)  # (N, C)
        target = labels.reshape(-1).long()
        check_range(self, target, scores.shape[1], None)
        sign = 1 - 2 * one_hot(target, scores.shape[1]).to(scores.dtype)
        margins = relu(1 + sign * scores)  # relu, for its gradient at 0 is Caffe's: none
        squared = self.message.hinge_loss_param.norm == caffe_pb2.HingeLossParameter.L2
        return (margins.square() if squared else margins).sum() / items
