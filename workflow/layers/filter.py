"""Filter."""

from __future__ import annotations

import math
from pathlib import Path

from torch import Tensor

from workflow.layers.base import Layer, Shape, layer
from workflow.net.spec import LayerSpec


@layer("Filter", bottoms=(2, None), tops=(1, None))
class Filter(Layer):
    """Of every bottom the items that the last bottom chooses.

    bottom[i]     x       (N, ...)
    bottom[last]  choice  (N,) or (N, 1, ...)   items whose number is not 0 are kept; no gradient
    top[i]        y       (kept, ...)           in their order; maybe none

    While the net is planned all N items count as kept. Source: src/caffe/layers/filter_layer.cpp.
    """

    def __init__(self, spec: LayerSpec, folder: Path) -> None:
        super().__init__(spec, folder)
        if len(spec.tops) != len(spec.bottoms) - 1:
            raise self.fail(
                f"{len(spec.bottoms)} bottoms and {len(spec.tops)} tops, expected one top for each bottom but the last"
            )

    def top_shapes(self, *bottoms: Shape) -> list[Shape]:
        self._check(bottoms)
        return list(bottoms[:-1])

    def forward(self, *bottoms: Tensor) -> list[Tensor]:
        self._check([tuple(x.shape) for x in bottoms])
        kept = bottoms[-1].detach().flatten().nonzero().flatten()
        return [x.index_select(0, kept) for x in bottoms[:-1]]

    def _check(self, shapes: tuple[Shape, ...] | list[Shape]) -> None:
        choice = shapes[-1]
        if not choice or math.prod(choice) != choice[0]:
            raise self.fail(f"choice of shape {choice}, expected (N,) or (N, 1, ...)")
        for shape in shapes[:-1]:
            if shape[:1] != choice[:1]:
                raise self.fail(f"bottom of shape {shape}, but {choice[0]} items to choose from")
