"""Swish."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from workflow.layers.base import Elementwise, layer
from workflow.layers.in_place import warn_in_place
from workflow.net.spec import LayerSpec


@layer("Swish", bottoms=1, tops=1)
class Swish(Elementwise):
    """y = x / (1 + exp(-beta x)), for any shape.

    Source: src/caffe/layers/swish_layer.cpp, which came after the release of Caffe 1.0.
    """

    def __init__(self, spec: LayerSpec, folder: Path) -> None:
        super().__init__(spec, folder)
        warn_in_place(self)

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(self.message.swish_param.beta * x)
