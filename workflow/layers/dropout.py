"""Dropout."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from workflow.layers.base import Layer, Shape, layer
from workflow.layers.in_place import is_in_place, own
from workflow.net.spec import LayerSpec


@layer("Dropout", bottoms=1, tops=1)
class Dropout(Layer):
    """TRAIN: y = x m / (1 - ratio), each m being 1 with probability 1 - ratio, else 0. TEST: y = x. Any shape.

    The mask is a function of the net's seed and of the number of forward passes before this one, so that a resumed
    run draws what the unbroken one would have drawn; a part of a batch takes its rows of the whole batch's mask.
    Source: src/caffe/layers/dropout_layer.cpp.
    """

    takes_part = True

    def __init__(self, spec: LayerSpec, folder: Path) -> None:
        super().__init__(spec, folder)
        self.ratio = self.message.dropout_param.dropout_ratio
        if not 0 <= self.ratio < 1:
            raise self.fail(f"dropout_ratio={self.ratio:g}, expected 0 <= ratio < 1")

    def top_shapes(self, *bottoms: Shape) -> list[Shape]:
        return list(bottoms)

    def blocked(self, bottom: Shape) -> bool:
        return len(bottom) == 4 and not self.training

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x if is_in_place(self) else own(x)
        generator = torch.Generator().manual_seed(self.seed + self.position)
        part = self.part
        shape = x.shape if part is None else (part.grown(x.shape[0]), *x.shape[1:])
        mask = torch.empty(shape, dtype=x.dtype).bernoulli_(1 - self.ratio, generator=generator)
        if part is not None:
            mask = part.of(mask)
        return x * mask.to(x.device) / (1 - self.ratio)
