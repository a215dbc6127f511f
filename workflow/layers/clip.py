"""Clip."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from workflow.layers.base import Elementwise, layer
from workflow.layers.in_place import warn_in_place
from workflow.net.spec import LayerSpec


@layer("Clip", bottoms=1, tops=1)
class Clip(Elementwise):
    """y = x, at least `min` and at most `max`, for any shape; the gradient passes where min <= x <= max.

    Source: src/caffe/layers/clip_layer.cpp, which came after the release of Caffe 1.0.
    """

    def __init__(self, spec: LayerSpec, folder: Path) -> None:
        super().__init__(spec, folder)
        self.param = self.message.clip_param
        if not (self.param.HasField("min") and self.param.HasField("max")):
            raise self.fail("clip_param needs both min and max")
        warn_in_place(self)

    def forward(self, x: Tensor) -> Tensor:
        return x.clamp(self.param.min, self.param.max)
