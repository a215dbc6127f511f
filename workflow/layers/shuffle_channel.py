"""ShuffleChannel, of the ShuffleNet forks."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from workflow.layers.base import Layer, Shape, layer
from workflow.net.spec import LayerSpec


@layer("ShuffleChannel", bottoms=1, tops=1)
class ShuffleChannel(Layer):
    """Deals the channels out: the first of each group, then the second of each, and so on.

    bottom[0]  x  (N, C, ...)  C divisible by `group`        top[0]  y  same shape
    y[n, j group + i] = x[n, i C / group + j]

    Source: shuffle_channel_layer.cpp of the ShuffleNet forks (Zhang and others 2017, section 3.1).
    """

    def __init__(self, spec: LayerSpec, folder: Path) -> None:
        super().__init__(spec, folder)
        self.group = self.message.shuffle_channel_param.group
        if self.group < 1:
            raise self.fail("group=0, expected at least 1")

    def top_shapes(self, *bottoms: Shape) -> list[Shape]:
        shape = bottoms[0]
        if len(shape) < 2 or shape[1] % self.group:
            raise self.fail(f"bottom of shape {shape}, expected a number of channels divisible by group={self.group}")
        return [shape]

    def forward(self, x: Tensor) -> Tensor:
        self.top_shapes(tuple(x.shape))
        n, c = x.shape[:2]
        dealt = x.reshape(n, self.group, c // self.group, -1).transpose(1, 2)  # (N, C / group, group, places)
        return dealt.clone(memory_format=torch.contiguous_format).reshape(x.shape)
