"""Silence."""

from __future__ import annotations

from torch import Tensor

from workflow.layers.base import Layer, layer


@layer("Silence", bottoms=(1, None), tops=0)
class Silence(Layer):
    """Reads its bottoms and ignores them, so that they are not outputs of the net. It gives no gradient.

    Source: src/caffe/layers/silence_layer.cpp.
    """

    def forward(self, *bottoms: Tensor) -> list[Tensor]:
        del bottoms
        return []
