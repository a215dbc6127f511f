"""Flatten."""

from __future__ import annotations

from torch import Tensor

from workflow.layers.base import Layer, axis_of, layer


@layer("Flatten", bottoms=1, tops=1)
class Flatten(Layer):
    """The axes from `axis` (1) to `end_axis` (the last) become one, in row-major order.

    Source: src/caffe/layers/flatten_layer.cpp. An end_axis before axis inserts an axis of size 1, as there.
    """

    def forward(self, x: Tensor) -> Tensor:
        param = self.message.flatten_param
        axis, end = axis_of(self, param.axis, x.dim()), axis_of(self, param.end_axis, x.dim())
        if end < axis:
            return x.reshape(*x.shape[:axis], 1, *x.shape[end + 1 :])
        return x.flatten(axis, end)
