"""EuclideanLoss."""

from __future__ import annotations

import math

from torch import Tensor

from workflow.layers.base import Layer, Shape, layer
from workflow.layers.loss import check_batches


@layer("EuclideanLoss", bottoms=2, tops=1)
class EuclideanLoss(Layer):
    """Half the mean squared distance; both bottoms get gradients.

    bottom[0]  a  (N, ...)        bottom[1]  b  (N, ...) as many numbers an item; 1 to 4 axes
    top[0]     loss  ()           sum((a - b)^2) / (2 N)

    Source: src/caffe/layers/euclidean_loss_layer.cpp.
    """

    def top_shapes(self, *bottoms: Shape) -> list[Shape]:
        check_batches(self, *bottoms)
        if math.prod(bottoms[0][1:]) != math.prod(bottoms[1][1:]):
            raise self.fail(f"bottoms of shapes {bottoms[0]} and {bottoms[1]}, expected as many numbers an item")
        if len(bottoms[0]) > 4:
            raise self.fail(f"bottom of shape {bottoms[0]}, expected at most 4 axes")
        return [()]

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        self.top_shapes(tuple(a.shape), tuple(b.shape))
        difference = a.float() - b.float().reshape(a.shape)
        return difference.square().sum() / (2 * a.shape[0])
