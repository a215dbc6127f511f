"""Slice."""

from __future__ import annotations

import itertools
from pathlib import Path

from torch import Tensor

from workflow.layers.base import Layer, axis_of, layer
from workflow.layers.in_place import own
from workflow.net.spec import LayerSpec


@layer("Slice", bottoms=1, tops=(1, None))
class Slice(Layer):
    """Parts of the bottom along `axis` (1 by default; `slice_dim` in old files), one a top.

    Cut at the `slice_point`s, one fewer than tops; without any, into parts of equal size.
    Source: src/caffe/layers/slice_layer.cpp.
    """

    def __init__(self, spec: LayerSpec, folder: Path) -> None:
        super().__init__(spec, folder)
        self.param = self.message.slice_param
        if self.param.HasField("axis") and self.param.HasField("slice_dim"):
            raise self.fail("axis and slice_dim are two names of one thing; set one of them")
        self.points = list(self.param.slice_point)
        if self.points and len(self.points) != len(spec.tops) - 1:
            raise self.fail(f"{len(self.points)} slice points, expected {len(spec.tops) - 1} for {len(spec.tops)} tops")

    def forward(self, x: Tensor) -> list[Tensor]:
        old = self.param.HasField("slice_dim")
        axis = axis_of(self, self.param.slice_dim if old else self.param.axis, x.dim())
        size, count = x.shape[axis], len(self.spec.tops)
        if not self.points and size % count:
            raise self.fail(f"{size} values on axis {axis} cannot be cut into {count} equal parts")
        ends = [0, *(self.points or (size // count * part for part in range(1, count))), size]
        lengths = [end - start for start, end in itertools.pairwise(ends)]
        if min(lengths) < 1:
            raise self.fail(f"slice points {self.points}, expected them to rise from 1 to {size - 1}")
        return [own(x.narrow(axis, start, length)) for start, length in zip(ends, lengths, strict=False)]
