"""Split."""

from __future__ import annotations

from torch import Tensor

from workflow.layers.base import Layer, Shape, layer


@layer("Split", bottoms=1, tops=(1, None))
class Split(Layer):
    """Every top is the bottom; their gradients add up. Caffe inserts these where a blob has several readers.

    Source: src/caffe/layers/split_layer.cpp.
    """

    def blocked(self, bottom: Shape) -> bool:
        return len(bottom) == 4

    def forward(self, x: Tensor) -> list[Tensor]:
        return [x] * len(self.spec.tops)
