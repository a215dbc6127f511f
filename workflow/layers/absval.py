"""AbsVal."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from workflow.layers.base import Elementwise, layer
from workflow.layers.in_place import refuse_in_place
from workflow.net.spec import LayerSpec


@layer("AbsVal", bottoms=1, tops=1)
class AbsVal(Elementwise):
    """y = |x|, for any shape; no gradient at 0. Not in place.

    Source: src/caffe/layers/absval_layer.cpp.
    """

    def __init__(self, spec: LayerSpec, folder: Path) -> None:
        super().__init__(spec, folder)
        refuse_in_place(self)

    def forward(self, x: Tensor) -> Tensor:
        return x.abs()
