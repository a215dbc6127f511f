"""Concat."""

from __future__ import annotations

import torch
from torch import Tensor

from workflow.layers.base import Layer, axis_of, layer


@layer("Concat", bottoms=(1, None), tops=1)
class Concat(Layer):
    """The bottoms behind each other along `axis` (1 by default; `concat_dim` in old files); other axes are equal.

    Source: src/caffe/layers/concat_layer.cpp.
    """

    def forward(self, *bottoms: Tensor) -> Tensor:
        param = self.message.concat_param
        if param.HasField("axis") and param.HasField("concat_dim"):
            raise self.fail("axis and concat_dim are two names of one thing; set one of them")
        axis = axis_of(self, param.concat_dim if param.HasField("concat_dim") else param.axis, bottoms[0].dim())
        first = list(bottoms[0].shape)
        for x in bottoms[1:]:
            if x.dim() != len(first) or [*x.shape[:axis], *x.shape[axis + 1 :]] != first[:axis] + first[axis + 1 :]:
                shapes = ", ".join(str(tuple(bottom.shape)) for bottom in bottoms)
                raise self.fail(f"bottoms of shapes {shapes}, expected them equal but for axis {axis}")
        return torch.cat(bottoms, dim=axis)
