"""Power."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from workflow.layers.base import Elementwise, layer
from workflow.layers.in_place import own, warn_in_place
from workflow.net.spec import LayerSpec


@layer("Power", bottoms=1, tops=1)
class Power(Elementwise):
    """y = (shift + scale x) ^ power, for any shape; NaN where a negative number meets a power that is not whole.

    Where power or scale is 0, y is 1 or shift ^ power everywhere, without a gradient.
    Source: src/caffe/layers/power_layer.cpp. Where shift + scale x is 0, Caffe's gradient of other powers than 1 and
    2 is NaN; this one is the true one.
    """

    def __init__(self, spec: LayerSpec, folder: Path) -> None:
        super().__init__(spec, folder)
        warn_in_place(self)

    def forward(self, x: Tensor) -> Tensor:
        param = self.message.power_param
        if param.power == 0 or param.scale == 0:
            base = torch.full_like(x, param.shift, requires_grad=False)
            return base.pow(param.power)
        y = x if param.scale == 1 else x * param.scale
        y = y + param.shift if param.shift else y
        if self.exact and param.power == 0.5:  # a root to torch, for which minus infinity has none; C's pow has
            y = torch.where(y == -torch.inf, torch.inf, y)
        y = y if param.power == 1 else y.pow(param.power)
        return own(x) if y is x else y
