"""Convolution."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from workflow.engines.base import Array, Shape
from workflow.engines.numpy_cpu.layers.base import Layer, layer
from workflow.net.spec import LayerSpec
from workflow.net.windows import convolution_window

_COLUMNS = 2**20  # floats unfolded at a time: 4 MiB stay in the cache, and memory does not grow with the batch


@layer("Convolution", bottoms=(1, None), tops=(1, None))
class Convolution(Layer):
    """Cross-correlation with learned windows; several bottoms share them, each with its own top.

    bottom[i]  x  (N, C, H, W)       float32
    top[i]     y  (N, O, H', W')     H' = (H + 2 pad - (dilation (kernel - 1) + 1)) / stride + 1
    blobs      W  (O, C/group, kernel_h, kernel_w),  b (O,) unless `bias_term: false`

    Windows are unfolded into columns, and a matrix product does the rest, as in Caffe.
    Source: src/caffe/layers/base_conv_layer.cpp, conv_layer.cpp. Two spatial axes only; Caffe takes any number.
    """

    def __init__(self, spec: LayerSpec) -> None:
        super().__init__(spec)
        self.param = self.message.convolution_param
        self.window = convolution_window(self.message)
        if len(spec.bottoms) != len(spec.tops):
            raise self.fail(f"{len(spec.bottoms)} bottoms and {len(spec.tops)} tops, expected as many")
        if self.param.num_output < 1:
            raise self.fail(f"num_output={self.param.num_output}, expected at least 1")

    def parameters(self, *bottoms: Shape) -> Sequence[Shape]:
        shape = bottoms[0]
        if len(shape) != 4 or self.axis(self.param.axis, 4) != 1:
            raise self.fail(f"bottom of shape {shape} and axis {self.param.axis}, expected (N, C, H, W) and axis 1")
        channels, outputs, group = shape[1], self.param.num_output, self.param.group
        if group < 1 or channels % group or outputs % group:
            raise self.fail(f"group {group} does not divide {channels} channels and {outputs} outputs")
        weights = (outputs, channels // group, *self.window.kernel)
        return [weights, (outputs,)] if self.param.bias_term else [weights]

    def top_shapes(self, *bottoms: Shape) -> list[Shape]:
        tops: list[Shape] = []
        for shape in bottoms:
            if len(shape) != 4 or shape[1] != bottoms[0][1]:
                raise self.fail(f"bottom of shape {shape} beside one of shape {bottoms[0]}, expected as many channels")
            out = self.window.convolved((shape[2], shape[3]))
            if min(out) < 1:
                raise self.fail(f"bottom of shape {shape} is smaller than the window {self.window.kernel}")
            tops.append((shape[0], self.param.num_output, *out))
        return tops

    def forward(self, *bottoms: Array) -> list[Array]:
        return [self._convolve(x) for x in bottoms]

    def _convolve(self, x: Array) -> Array:
        n = x.shape[0]
        (top,) = self.top_shapes(x.shape)
        y = np.empty(top, np.float32)
        columns = x.shape[1] * int(np.prod(self.window.kernel)) * top[2] * top[3]  # floats for one item
        step = max(1, _COLUMNS // max(1, columns))
        for start in range(0, n, step):
            self._product(x[start : start + step], y[start : start + step])
        if self.param.bias_term:
            y += self.blobs[1][:, None, None]
        return y

    def _product(self, x: Array, y: Array) -> None:
        n, outputs, height, width = y.shape
        group, weights = self.param.group, self.blobs[0]
        columns = self._columns(x, (height, width))  # (N, C, kernel_h, kernel_w, H', W')
        columns = columns.reshape(n, group, weights[0].size, height * width)
        weights = weights.reshape(group, outputs // group, -1)
        np.matmul(weights, columns, out=y.reshape(n, group, outputs // group, height * width))

    def _columns(self, x: Array, out: tuple[int, int]) -> Array:
        """Every place of the window, unfolded: a strided view, which reshaping will copy."""
        window, (down, across) = self.window, self.window.pad
        padded = np.pad(x, ((0, 0), (0, 0), (down, down), (across, across))) if down or across else x
        reach = tuple(d * (k - 1) + 1 for d, k in zip(window.dilation, window.kernel, strict=True))
        views = sliding_window_view(padded, reach, axis=(2, 3))  # (N, C, places down, places across, *reach)
        views = views[:, :, :: window.stride[0], :: window.stride[1], :: window.dilation[0], :: window.dilation[1]]
        return views[:, :, : out[0], : out[1]].transpose(0, 1, 4, 5, 2, 3)
