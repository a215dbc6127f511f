"""Silence."""

from __future__ import annotations

from torch import Tensor

from workflow.layers.base import Layer, layer


@layer("Silence", bottoms=(1, None), tops=0)
class Silence(Layer):
    """Reads its bottoms and makes nothing of them, so that they are no outputs of the net. No gradient comes back.

    Source: src/caffe/layers/silence_layer.cpp.
    """

    def forward(self, *bottoms: Tensor) -> list[Tensor]:
        del bottoms
        return []
