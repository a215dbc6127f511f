"""Threshold."""

from __future__ import annotations

import torch
from torch import Tensor

from workflow.layers.base import Elementwise, layer


@layer("Threshold", bottoms=1, tops=1)
class Threshold(Elementwise):
    """y = 1 where x > threshold (0), else 0, for any shape. No gradient.

    Source: src/caffe/layers/threshold_layer.cpp.
    """

    def forward(self, x: Tensor) -> Tensor:
        return (x.detach() > self.message.threshold_param.threshold).to(torch.float32)
