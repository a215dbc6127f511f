"""Split."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from workflow.layers.base import Elementwise, Shape, layer
from workflow.layers.in_place import refuse_in_place
from workflow.net.spec import LayerSpec


@layer("Split", bottoms=1, tops=(1, None))
class Split(Elementwise):
    """Every top is the bottom; their gradients add up. Caffe inserts these where a blob has several readers.

    Not in place. Source: src/caffe/layers/split_layer.cpp.
    """

    def __init__(self, spec: LayerSpec, folder: Path) -> None:
        super().__init__(spec, folder)
        refuse_in_place(self)

    def blocked(self, bottom: Shape) -> bool:
        return len(bottom) == 4

    def forward(self, x: Tensor) -> list[Tensor]:
        return [x] * len(self.spec.tops)
