"""ELU."""

from __future__ import annotations

import torch
from torch import Tensor

from workflow.layers.base import Elementwise, layer


@layer("ELU", bottoms=1, tops=1)
class ELU(Elementwise):
    """y = x where x > 0, else alpha (exp(x) - 1), for any shape; the gradient at 0 is that of the negative side.

    Source: src/caffe/layers/elu_layer.cpp.
    """

    def forward(self, x: Tensor) -> Tensor:
        return torch.where(x > 0, x, self.message.elu_param.alpha * torch.expm1(x.clamp(max=0)))
