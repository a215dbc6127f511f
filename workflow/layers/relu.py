"""ReLU."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import leaky_relu, relu

from workflow.layers.base import Layer, layer


@layer("ReLU", bottoms=1, tops=1)
class ReLU(Layer):
    """y = max(x, 0) + negative_slope min(x, 0), for any shape; the gradient at 0 is that of the negative side.

    Source: src/caffe/layers/relu_layer.cpp.
    """

    def forward(self, x: Tensor) -> Tensor:
        slope = self.message.relu_param.negative_slope
        return leaky_relu(x, slope) if slope else relu(x)
