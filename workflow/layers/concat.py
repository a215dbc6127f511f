"""Concat."""

from __future__ import annotations

import torch
from torch import Tensor

from workflow.layers.base import Layer, Shape, axis_of, layer


@layer("Concat", bottoms=(1, None), tops=1)
class Concat(Layer):
    """The bottoms behind each other along `axis` (1 by default; `concat_dim` in old files); other axes are equal.

    Source: src/caffe/layers/concat_layer.cpp.
    """

    def top_shapes(self, *bottoms: Shape) -> list[Shape]:
        axis, first = self._axis(len(bottoms[0])), bottoms[0]
        before, after = first[:axis], first[axis + 1 :]
        if any((len(one), one[:axis], one[axis + 1 :]) != (len(first), before, after) for one in bottoms):
            shapes = ", ".join(map(str, bottoms))
            raise self.fail(f"bottoms of shapes {shapes}, expected them equal but for axis {axis}")
        return [(*before, sum(one[axis] for one in bottoms), *after)]

    def _axis(self, rank: int) -> int:
        param = self.message.concat_param
        if param.HasField("axis") and param.HasField("concat_dim"):
            raise self.fail("axis and concat_dim are two names of one thing; set one of them")
        return axis_of(self, param.concat_dim if param.HasField("concat_dim") else param.axis, rank)

    def forward(self, *bottoms: Tensor) -> Tensor:
        self.top_shapes(*(tuple(x.shape) for x in bottoms))
        return torch.cat(bottoms, dim=self._axis(bottoms[0].dim()))
