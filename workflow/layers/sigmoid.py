"""Sigmoid."""

from __future__ import annotations

import torch
from torch import Tensor

from workflow.layers.base import Elementwise, layer


@layer("Sigmoid", bottoms=1, tops=1)
class Sigmoid(Elementwise):
    """y = 1 / (1 + exp(-x)), for any shape.

    Source: src/caffe/layers/sigmoid_layer.cpp.
    """

    def forward(self, x: Tensor) -> Tensor:
        return torch.sigmoid(x)
