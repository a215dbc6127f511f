"""Reshape."""

from __future__ import annotations

import math
from pathlib import Path

from torch import Tensor

from workflow.layers.base import Layer, Shape, layer
from workflow.layers.in_place import refuse_in_place
from workflow.net.spec import LayerSpec


@layer("Reshape", bottoms=1, tops=1)
class Reshape(Layer):
    """The same values in another shape, in row-major order.

    The `num_axes` axes from `axis` on (by default all of them, from 0) become those of `shape`: a dim of 0 is the
    bottom's at that place, one dim of -1 is what is left. `axis: -1` is behind the last axis; `num_axes: 0` puts
    axes in. Not in place. Source: src/caffe/layers/reshape_layer.cpp.
    """

    def __init__(self, spec: LayerSpec, folder: Path) -> None:
        super().__init__(spec, folder)
        refuse_in_place(self)
        self.param = self.message.reshape_param
        self.dims = [int(dim) for dim in self.param.shape.dim]
        if self.dims.count(-1) > 1 or min(self.dims, default=0) < -1:
            raise self.fail(f"shape {self.dims}, expected sizes of which at most one is -1")
        if self.param.num_axes < -1:
            raise self.fail(f"num_axes={self.param.num_axes}, expected -1 or more")

    def forward(self, x: Tensor) -> Tensor:
        return x.reshape(self._shape(tuple(x.shape)))

    def _shape(self, shape: Shape) -> Shape:
        axis, count = self.param.axis, self.param.num_axes
        start = axis if axis >= 0 else len(shape) + 1 + axis
        end = len(shape) if count == -1 else start + count
        if not 0 <= start <= len(shape) or end > len(shape):
            raise self.fail(f"axis {axis} and num_axes {count} of a bottom of shape {shape}")
        copied = [i for i, dim in enumerate(self.dims) if dim == 0]
        if copied and start + copied[-1] >= len(shape):
            raise self.fail(f"dim 0 at place {start + copied[-1]} of the shape has no axis of {shape} to copy")
        dims = [shape[start + i] if dim == 0 else dim for i, dim in enumerate(self.dims)]
        if -1 in dims:
            known = math.prod(shape[:start]) * math.prod(dim for dim in dims if dim != -1) * math.prod(shape[end:])
            dims[dims.index(-1)] = math.prod(shape) // known if known else 0
        new = (*shape[:start], *dims, *shape[end:])
        if math.prod(new) != math.prod(shape):
            raise self.fail(f"bottom of shape {shape} does not fit into {new}: {math.prod(shape)} values")
        return new
