"""Tile."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from workflow.layers.base import Layer, axis_of, layer
from workflow.net.spec import LayerSpec


@layer("Tile", bottoms=1, tops=1)
class Tile(Layer):
    """The bottom `tiles` times behind each other along `axis` (1). Source: src/caffe/layers/tile_layer.cpp."""

    def __init__(self, spec: LayerSpec, folder: Path) -> None:
        super().__init__(spec, folder)
        if self.message.tile_param.tiles < 1:
            raise self.fail(f"tiles={self.message.tile_param.tiles}, expected at least 1")

    def forward(self, x: Tensor) -> Tensor:
        param = self.message.tile_param
        return torch.cat([x] * param.tiles, dim=axis_of(self, param.axis, x.dim()))
