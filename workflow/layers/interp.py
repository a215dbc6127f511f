"""Interp, of the DeepLab fork."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from workflow.layers.base import Layer, Shape, layer
from workflow.net.spec import LayerSpec


@layer("Interp", bottoms=(1, 2), tops=1)
class Interp(Layer):
    """Bilinear interpolation in which corners stay corners.

    bottom[0]  x  (N, C, H, W)        bottom[1]  optional: a blob whose H and W the top takes (PSPNet's forks)
    top[0]     y  (N, C, H', W')

    First `pad_beg` and `pad_end`, 0 or below, cut rows and columns off. Then H' is ceil(H / `shrink_factor`);
    H + (H - 1) (`zoom_factor` - 1); both, the shrinking first; or `height`, with `width`. The value at row i is that
    at row i (H - 1) / (H' - 1). Source: interp_layer.cpp and interp.cpp of G. Papandreou's DeepLab fork.
    """

    def __init__(self, spec: LayerSpec, folder: Path) -> None:
        super().__init__(spec, folder)
        param = self.param = self.message.interp_param
        if param.pad_beg > 0 or param.pad_end > 0:
            raise self.fail(f"pad_beg={param.pad_beg}, pad_end={param.pad_end}, expected 0 or less: they cut off")
        self.shrinks, self.zooms = param.HasField("shrink_factor"), param.HasField("zoom_factor")
        if (self.shrinks and param.shrink_factor < 1) or (self.zooms and param.zoom_factor < 1):
            raise self.fail("expected a shrink_factor and a zoom_factor of at least 1")
        sized = param.HasField("height") and param.HasField("width")
        if not (self.shrinks or self.zooms or sized or len(spec.bottoms) == 2):
            raise self.fail("expected shrink_factor, zoom_factor, height and width, or a second bottom")
        # where all are given, the fork takes height and width rather than both factors
        self.sized = sized and self.shrinks == self.zooms

    def top_shapes(self, *bottoms: Shape) -> list[Shape]:
        if any(len(bottom) != 4 for bottom in bottoms):
            raise self.fail(f"bottom of shape {bottoms[0]}, expected (N, C, H, W)")
        n, c, *sides = bottoms[0]
        inner = [side + self.param.pad_beg + self.param.pad_end for side in sides]
        if len(bottoms) == 2:
            outer = list(bottoms[1][2:])
        elif self.sized:
            outer = [self.param.height, self.param.width]
        else:
            outer = [self._scaled(side) for side in inner]
        if min(*inner, *outer) < 1:
            raise self.fail(f"bottom of shape {bottoms[0]}: {inner} places to make {outer} from, expected at least 1")
        return [(n, c, outer[0], outer[1])]

    def _scaled(self, side: int) -> int:
        if self.shrinks:
            side = (side - 1) // self.param.shrink_factor + 1
        if self.zooms:
            side += (side - 1) * (self.param.zoom_factor - 1)
        return side

    def forward(self, *bottoms: Tensor) -> Tensor:
        (shape,) = self.top_shapes(*[tuple(bottom.shape) for bottom in bottoms])
        begin, end = -self.param.pad_beg, self.param.pad_end
        height, width = bottoms[0].shape[2:]
        x = bottoms[0][:, :, begin : height + end, begin : width + end]
        if tuple(x.shape) == shape:
            return x.clone(memory_format=torch.preserve_format)
        return interpolate(x, size=shape[2:], mode="bilinear", align_corners=True)
