"""Layers that move numbers without changing them: Split, Concat, Slice, Flatten, Reshape.

Split, Flatten and Reshape share the bottom's memory, as Caffe's do.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from workflow.engines.base import Array, Shape
from workflow.engines.numpy_cpu.layers.base import Layer, layer
from workflow.net.spec import LayerSpec


@layer("Split", bottoms=1, tops=(1, None))
class Split(Layer):
    """As many tops as there are readers, all of them the bottom. Not in place.

    Source: src/caffe/layers/split_layer.cpp.
    """

    def __init__(self, spec: LayerSpec, folder: Path) -> None:
        super().__init__(spec, folder)
        if spec.bottoms[0] in spec.tops:
            raise self.fail(f"works in place on '{spec.bottoms[0]}', which this type cannot")

    def forward(self, x: Array) -> list[Array]:
        return [x] * len(self.spec.tops)


@layer("Concat", bottoms=(1, None), tops=1)
class Concat(Layer):
    """Bottoms one after the other along `axis` (or the old `concat_dim`); their other sizes are equal.

    Source: src/caffe/layers/concat_layer.cpp.
    """

    def __init__(self, spec: LayerSpec, folder: Path) -> None:
        super().__init__(spec, folder)
        param = self.message.concat_param
        if param.HasField("axis") and param.HasField("concat_dim"):
            raise self.fail("set either axis or concat_dim, not both")
        self.along = param.concat_dim if param.HasField("concat_dim") else param.axis

    def top_shapes(self, *bottoms: Shape) -> list[Shape]:
        axis = self.axis(self.along, len(bottoms[0]))
        rests = {(*shape[:axis], *shape[axis + 1 :]) for shape in bottoms}
        if len(rests) > 1 or len({len(shape) for shape in bottoms}) > 1:
            raise self.fail(
                f"bottoms of shapes {', '.join(map(str, bottoms))}, expected equal sizes but for axis {axis}"
            )
        return [(*bottoms[0][:axis], sum(shape[axis] for shape in bottoms), *bottoms[0][axis + 1 :])]

    def forward(self, *bottoms: Array) -> Array:
        return np.concatenate(bottoms, axis=self.along) if len(bottoms) > 1 else bottoms[0]


@layer("Slice", bottoms=1, tops=(1, None))
class Slice(Layer):
    """The bottom cut along `axis` (or the old `slice_dim`): at each `slice_point`, or into equal parts.

    Source: src/caffe/layers/slice_layer.cpp.
    """

    def __init__(self, spec: LayerSpec, folder: Path) -> None:
        super().__init__(spec, folder)
        param = self.message.slice_param
        if param.HasField("axis") and param.HasField("slice_dim"):
            raise self.fail("set either axis or slice_dim, not both")
        self.along = param.slice_dim if param.HasField("slice_dim") else param.axis

    def top_shapes(self, *bottoms: Shape) -> list[Shape]:
        shape, axis = bottoms[0], self.axis(self.along, len(bottoms[0]))
        edges = [0, *self._points(shape[axis]), shape[axis]]
        sizes = [end - start for start, end in pairwise(edges)]
        if min(sizes) < 1:
            raise self.fail(f"slice points {edges[1:-1]} of {shape[axis]}, expected them to grow and stay within")
        return [(*shape[:axis], size, *shape[axis + 1 :]) for size in sizes]

    def forward(self, x: Array) -> list[Array]:
        axis = self.axis(self.along, x.ndim)
        if len(self.spec.tops) == 1:
            return [x]
        return [np.ascontiguousarray(part) for part in np.split(x, self._points(x.shape[axis]), axis=axis)]

    def _points(self, length: int) -> Sequence[int]:
        points, tops = list(self.message.slice_param.slice_point), len(self.spec.tops)
        if points and len(points) != tops - 1:
            raise self.fail(f"{len(points)} slice points for {tops} tops, expected {tops - 1}")
        if not points and length % tops:
            raise self.fail(f"{length} cannot be cut into {tops} equal parts")
        return points or [length // tops * part for part in range(1, tops)]


@layer("Flatten", bottoms=1, tops=1)
class Flatten(Layer):
    """Axes `axis` to `end_axis` as one.

    Source: src/caffe/layers/flatten_layer.cpp.
    """

    def top_shapes(self, *bottoms: Shape) -> list[Shape]:
        shape, param = bottoms[0], self.message.flatten_param
        start, end = self.axis(param.axis, len(shape)), self.axis(param.end_axis, len(shape)) + 1
        if end < start:
            raise self.fail(f"axis {start} and end_axis {end - 1}, expected the end not before the start")
        # an end right before the start inserts an axis of size 1, in Caffe too
        return [(*shape[:start], math.prod(shape[start:end]), *shape[end:])]

    def forward(self, x: Array) -> Array:
        return x.reshape(self.top_shapes(x.shape)[0])


@layer("Reshape", bottoms=1, tops=1)
class Reshape(Layer):
    """`shape` in the place of `num_axes` axes from `axis` on; 0 keeps a size, one -1 is inferred.

    Source: src/caffe/layers/reshape_layer.cpp.
    """

    def top_shapes(self, *bottoms: Shape) -> list[Shape]:
        shape, param = bottoms[0], self.message.reshape_param
        start = param.axis if param.axis >= 0 else len(shape) + param.axis + 1
        end = len(shape) if param.num_axes == -1 else start + param.num_axes
        if not 0 <= start <= end <= len(shape):
            raise self.fail(f"axis {param.axis} and num_axes {param.num_axes} for a bottom of shape {shape}")
        dims = list(param.shape.dim)
        for index, dim in enumerate(dims):
            if dim == 0 and start + index >= len(shape):
                raise self.fail(f"dim: 0 at place {index} has no size of {shape} to keep")
        dims = [shape[start + index] if dim == 0 else dim for index, dim in enumerate(dims)]
        known = math.prod(shape[:start]) * math.prod(shape[end:]) * math.prod(dim for dim in dims if dim != -1)
        missing, rest = divmod(math.prod(shape), known) if known else (0, 0)
        top = (*shape[:start], *[missing if dim == -1 else dim for dim in dims], *shape[end:])
        if dims.count(-1) > 1 or rest or min(dims, default=0) < -1 or math.prod(top) != math.prod(shape):
            raise self.fail(f"shape {list(param.shape.dim)} cannot be made of a bottom of shape {shape}")
        return [top]

    def forward(self, x: Array) -> Array:
        return x.reshape(self.top_shapes(x.shape)[0])
