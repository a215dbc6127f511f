"""Exp."""

from __future__ import annotations

import math
from pathlib import Path

from torch import Tensor

from workflow.layers.base import Elementwise, layer
from workflow.net.spec import LayerSpec


@layer("Exp", bottoms=1, tops=1)
class Exp(Elementwise):
    """y = base ^ (shift + scale x), for any shape; base -1 means e.

    Source: src/caffe/layers/exp_layer.cpp.
    """

    def __init__(self, spec: LayerSpec, folder: Path) -> None:
        super().__init__(spec, folder)
        param = self.message.exp_param
        if param.base != -1 and param.base <= 0:
            raise self.fail(f"base={param.base:g}, expected more than 0, or -1 for e")
        log_base = 1.0 if param.base == -1 else math.log(param.base)
        self.inner, self.outer = log_base * param.scale, math.exp(log_base * param.shift)

    def forward(self, x: Tensor) -> Tensor:
        return (self.inner * x).exp() * self.outer
