"""BNLL."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor
from torch.nn.functional import softplus

from workflow.layers.base import Elementwise, layer
from workflow.layers.in_place import warn_in_place
from workflow.net.spec import LayerSpec


@layer("BNLL", bottoms=1, tops=1)
class BNLL(Elementwise):
    """The binomial negative log likelihood y = log(1 + exp(x)), for any shape.

    Source: src/caffe/layers/bnll_layer.cpp.
    """

    def __init__(self, spec: LayerSpec, folder: Path) -> None:
        super().__init__(spec, folder)
        warn_in_place(self)

    def forward(self, x: Tensor) -> Tensor:
        return softplus(x)
