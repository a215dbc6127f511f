"""ReLU."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import leaky_relu, relu, relu_

from workflow.layers.base import Elementwise, Shape, layer
from workflow.layers.in_place import warn_in_place
from workflow.net.spec import LayerSpec


@layer("ReLU", bottoms=1, tops=1)
class ReLU(Elementwise):
    """y = max(x, 0) + negative_slope min(x, 0), for any shape; the gradient at 0 is that of the negative side.

    Source: src/caffe/layers/relu_layer.cpp. Minus infinity gives 0 where the layer is not `exact`; NaN in Caffe, whose
    formula multiplies it by the slope, be that 0.
    """

    def __init__(self, spec: LayerSpec, folder: Path) -> None:
        super().__init__(spec, folder)
        if self.message.relu_param.negative_slope < 0:
            warn_in_place(self)

    def blocked(self, bottom: Shape) -> bool:
        return len(bottom) == 4 and not self.message.relu_param.negative_slope

    def forward(self, x: Tensor) -> Tensor:
        slope = self.message.relu_param.negative_slope
        if slope:
            return leaky_relu(x, slope)
        if self.exact:
            return torch.where(x == -torch.inf, torch.nan, relu(x))
        # autograd may still need the bottom that a layer in place overwrites; without autograd nothing does
        in_place = self.spec.bottoms == self.spec.tops and not torch.is_grad_enabled()
        return relu_(x) if in_place else relu(x)
