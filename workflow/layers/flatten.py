"""Flatten."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from workflow.layers.base import Layer, axis_of, layer
from workflow.layers.in_place import refuse_in_place
from workflow.net.spec import LayerSpec


@layer("Flatten", bottoms=1, tops=1)
class Flatten(Layer):
    """The axes from `axis` (1) to `end_axis` (the last) become one, in row-major order.

    Source: src/caffe/layers/flatten_layer.cpp. An end_axis right before axis inserts an axis of size 1, as there.
    Not in place.
    """

    def __init__(self, spec: LayerSpec, folder: Path) -> None:
        super().__init__(spec, folder)
        refuse_in_place(self)

    def forward(self, x: Tensor) -> Tensor:
        param = self.message.flatten_param
        axis, end = axis_of(self, param.axis, x.dim()), axis_of(self, param.end_axis, x.dim())
        if end < axis - 1:
            raise self.fail(f"axis {axis} and end_axis {end}, expected the end not before the start")
        return x.unsqueeze(axis) if end < axis else x.flatten(axis, end)
