"""Convolution."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from workflow.engines.base import Array, Shape
from workflow.engines.numpy_cpu.layers.base import Layer, layer
from workflow.net.spec import LayerSpec
from workflow.net.windows import Sizes, convolution_window

_COLUMNS = 2**20  # floats unfolded at a time: 4 MiB stay in the cache, and memory does not grow with the batch


@layer("Convolution", bottoms=(1, None), tops=(1, None))
class Convolution(Layer):
    """Cross-correlation with learned windows; several bottoms share them, each with its own top.

    bottom[i]  x  (N, C, H, W)       float32; or (..., C, any number of spatial axes) with another `axis`
    top[i]     y  (N, O, H', W')     H' = (H + 2 pad - (dilation (kernel - 1) + 1)) / stride + 1
    blobs      W  (O, C/group, kernel_h, kernel_w),  b (O,) unless `bias_term: false`

    Windows are unfolded into columns, and a matrix product does the rest, as in Caffe.
    Source: src/caffe/layers/base_conv_layer.cpp, conv_layer.cpp. C's division truncates, so that a window larger than
    the picture by less than its stride has one place; what it sees beyond the padding is 0.
    """

    def __init__(self, spec: LayerSpec, folder: Path) -> None:
        super().__init__(spec, folder)
        self.param = self.message.convolution_param
        if len(spec.bottoms) != len(spec.tops):
            raise self.fail(f"{len(spec.bottoms)} bottoms and {len(spec.tops)} tops, expected as many")
        if self.param.num_output < 1:
            raise self.fail(f"num_output={self.param.num_output}, expected at least 1")

    def parameters(self, *bottoms: Shape) -> Sequence[Shape]:
        axis = self.axis(self.param.axis, len(bottoms[0]))
        if len(bottoms[0]) == axis + 1:
            raise self.fail(f"bottom of shape {bottoms[0]} has no axes behind axis {axis}, that of the channels")
        self.window = convolution_window(self.message, len(bottoms[0]) - axis - 1)
        channels, outputs, group = bottoms[0][axis], self.param.num_output, self.param.group
        if group < 1 or channels % group or outputs % group:
            raise self.fail(f"group {group} does not divide {channels} channels and {outputs} outputs")
        weights = (outputs, channels // group, *self.window.kernel)
        return [weights, (outputs,)] if self.param.bias_term else [weights]

    def top_shapes(self, *bottoms: Shape) -> list[Shape]:
        shape, axis = bottoms[0], self.axis(self.param.axis, len(bottoms[0]))
        if any(other != shape for other in bottoms):
            raise self.fail(f"bottoms of shapes {', '.join(map(str, bottoms))}, expected equal ones")
        out = self.window.convolved(shape[axis + 1 :])
        if min(out) < 1:
            raise self.fail(f"bottom of shape {shape} is smaller than the window {self.window.kernel}")
        return [(*shape[:axis], self.param.num_output, *out)] * len(bottoms)

    def forward(self, *bottoms: Array) -> list[Array]:
        return [self._convolve(x) for x in bottoms]

    def _convolve(self, x: Array) -> Array:
        (shape,) = self.top_shapes(x.shape)
        axis = self.axis(self.param.axis, x.ndim)
        x = x.reshape(-1, *x.shape[axis:])  # (N, C, spatial...)
        y = np.empty((x.shape[0], *shape[axis:]), np.float32)
        columns = x.shape[1] * math.prod(self.window.kernel) * math.prod(y.shape[2:])  # floats for one item
        step = max(1, _COLUMNS // max(1, columns))
        for start in range(0, x.shape[0], step):
            self._product(x[start : start + step], y[start : start + step])
        if self.param.bias_term:
            y += self.blobs[1].reshape(-1, *[1] * (y.ndim - 2))
        return y.reshape(shape)

    def _product(self, x: Array, y: Array) -> None:
        n, outputs, places = y.shape[0], y.shape[1], math.prod(y.shape[2:])
        group, weights = self.param.group, self.blobs[0]
        columns = self._columns(x, y.shape[2:]).reshape(n, group, weights[0].size, places)
        weights = weights.reshape(group, outputs // group, -1)
        np.matmul(weights, columns, out=y.reshape(n, group, outputs // group, places))

    def _columns(self, x: Array, out: Sizes) -> Array:
        """All places of the window, unfolded: a strided view (N, C, kernel..., places...), which reshaping copies."""
        window, axes = self.window, len(out)
        borders = [(p, p + o) for p, o in zip(window.pad, window.overhang(x.shape[2:]), strict=True)]
        padded = np.pad(x, ((0, 0), (0, 0), *borders)) if any(map(any, borders)) else x
        views = sliding_window_view(padded, window.reach, axis=tuple(range(2, 2 + axes)))  # (N, C, places..., reach...)
        steps = [slice(0, (size - 1) * step + 1, step) for size, step in zip(out, window.stride, strict=True)]
        views = views[(slice(None), slice(None), *steps, *[slice(None, None, spread) for spread in window.dilation])]
        return views.transpose(0, 1, *range(2 + axes, 2 + 2 * axes), *range(2, 2 + axes))
