"""TanH."""

from __future__ import annotations

import torch
from torch import Tensor

from workflow.layers.base import Elementwise, layer


@layer("TanH", bottoms=1, tops=1)
class TanH(Elementwise):
    """y = tanh(x), for any shape.

    Source: src/caffe/layers/tanh_layer.cpp.
    """

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(x)
