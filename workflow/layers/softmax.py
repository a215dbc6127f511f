"""Softmax."""

from __future__ import annotations

import torch
from torch import Tensor

from workflow.layers.base import Layer, Shape, axis_of, layer


@layer("Softmax", bottoms=1, tops=1)
class Softmax(Layer):
    """y = exp(x - max x) / sum exp(x - max x) along `axis` (1 by default), for any shape.

    Source: src/caffe/layers/softmax_layer.cpp.
    """

    def top_shapes(self, *bottoms: Shape) -> list[Shape]:
        axis_of(self, self.message.softmax_param.axis, len(bottoms[0]))
        return [bottoms[0]]

    def forward(self, x: Tensor) -> Tensor:
        return torch.softmax(x, axis_of(self, self.message.softmax_param.axis, x.dim()))
