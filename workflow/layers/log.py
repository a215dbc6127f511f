"""Log."""

from __future__ import annotations

import math
from pathlib import Path

from torch import Tensor

from workflow.layers.base import Elementwise, layer
from workflow.layers.in_place import warn_in_place
from workflow.net.spec import LayerSpec


@layer("Log", bottoms=1, tops=1)
class Log(Elementwise):
    """y = log(shift + scale x) to the base `base`, for any shape; base -1 means e. NaN where there is no logarithm.

    Source: src/caffe/layers/log_layer.cpp.
    """

    def __init__(self, spec: LayerSpec, folder: Path) -> None:
        super().__init__(spec, folder)
        self.param = self.message.log_param
        if self.param.base != -1 and (self.param.base <= 0 or self.param.base == 1):
            raise self.fail(f"base={self.param.base:g}, expected more than 0 and not 1, or -1 for e")
        self.factor = 1.0 if self.param.base == -1 else 1 / math.log(self.param.base)
        warn_in_place(self)

    def forward(self, x: Tensor) -> Tensor:
        return (self.param.shift + self.param.scale * x).log() * self.factor
