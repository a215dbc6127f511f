"""Permute, of the SSD fork."""

from __future__ import annotations

import torch
from torch import Tensor

from workflow.layers.base import Layer, Shape, layer


@layer("Permute", bottoms=1, tops=1)
class Permute(Layer):
    """Permute the axes: `order` lists the old axis for each new one; unlisted axes follow.

    Source: permute_layer.cpp of W. Liu's SSD fork.
    """

    def top_shapes(self, *bottoms: Shape) -> list[Shape]:
        shape = bottoms[0]
        return [tuple(shape[axis] for axis in self._order(len(shape)))]

    def _order(self, rank: int) -> list[int]:
        order = list(self.message.permute_param.order)
        if any(axis >= rank for axis in order) or len(set(order)) < len(order):
            raise self.fail(f"order {order} of a bottom with {rank} axes, expected different numbers below {rank}")
        return order + [axis for axis in range(rank) if axis not in order]

    def forward(self, x: Tensor) -> Tensor:
        return torch.permute_copy(x, self._order(x.dim()))
