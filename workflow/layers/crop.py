"""Crop."""

from __future__ import annotations

from torch import Tensor

from workflow.layers.base import Layer, axis_of, layer
from workflow.layers.in_place import own


@layer("Crop", bottoms=2, tops=1)
class Crop(Layer):
    """A part of the first bottom, as large as the second from `axis` (2) on.

    bottom[0]  x     what is cut              bottom[1]  like  whose sizes the part has
    top[0]     y     x from `offset` on; one offset for all axes from `axis` on, or one for each, 0 if none

    `like` gets no gradient. Source: src/caffe/layers/crop_layer.cpp.
    """

    def forward(self, x: Tensor, like: Tensor) -> Tensor:
        if x.dim() > like.dim():
            raise self.fail(
                f"bottoms of shapes {tuple(x.shape)} and {tuple(like.shape)}, expected no fewer axes in the second"
            )
        param = self.message.crop_param
        axis = axis_of(self, param.axis, x.dim())
        offsets = list(param.offset) or [0]
        if len(offsets) not in (1, x.dim() - axis):
            raise self.fail(f"{len(offsets)} offsets, expected 1 or {x.dim() - axis}, one for each axis from {axis} on")
        offsets = offsets * (x.dim() - axis) if len(offsets) == 1 else offsets
        for at, start in enumerate(offsets, axis):
            length = like.shape[at]
            if start + length > x.shape[at]:
                raise self.fail(f"{length} values from offset {start} on, but axis {at} has {x.shape[at]}")
            x = x.narrow(at, start, length)
        return own(x)
