"""ArgMax."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from workflow.layers.base import Layer, axis_of, layer
from workflow.net.spec import LayerSpec


@layer("ArgMax", bottoms=1, tops=1)
class ArgMax(Layer):
    """Where the `top_k` largest values are, largest first; of equal values the one with the larger index.

    bottom[0]  x  (N, ...)
    top[0]     without `axis`: (N, 1, k), or (N, 2, k) with `out_max_val: true`, indices then values, of all values
               of an item; axes of size 1 are appended until it has as many axes as x
               with `axis`: x's shape with k there: indices, or with `out_max_val: true` the values instead

    No gradient. Source: src/caffe/layers/argmax_layer.cpp.
    """

    def __init__(self, spec: LayerSpec, folder: Path) -> None:
        super().__init__(spec, folder)
        self.param = self.message.argmax_param
        if self.param.top_k < 1:
            raise self.fail(f"top_k={self.param.top_k}, expected at least 1")

    def forward(self, x: Tensor) -> Tensor:
        if self.param.HasField("axis"):
            values, index = self._largest(x.detach(), axis_of(self, self.param.axis, x.dim()))
            return values if self.param.out_max_val else index
        if not x.dim():
            raise self.fail("bottom of shape (), expected (N, ...)")
        values, index = self._largest(x.detach().reshape(x.shape[0], -1), 1)  # (N, k)
        y = torch.stack([index, values] if self.param.out_max_val else [index], dim=1)  # (N, 1 or 2, k)
        return y.reshape(*y.shape, *[1] * (x.dim() - 3))

    def _largest(self, x: Tensor, axis: int) -> tuple[Tensor, Tensor]:
        """Values and float indices of the `top_k` largest along an axis."""
        size, count = x.shape[axis], self.param.top_k
        if count > size:
            raise self.fail(f"top_k={count}, but there are {size} values")
        # turned round, a stable sort leaves the larger of two equal values' indices first
        values, turned = x.flip(axis).sort(dim=axis, descending=True, stable=True)
        index = (size - 1 - turned).to(torch.float32)
        return values.narrow(axis, 0, count), index.narrow(axis, 0, count)
