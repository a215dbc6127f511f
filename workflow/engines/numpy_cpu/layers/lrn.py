"""Local response normalisation."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from workflow.engines.base import Array, Shape
from workflow.engines.numpy_cpu.layers.base import Layer, layer
from workflow.engines.numpy_cpu.layers.pooling import window_sums
from workflow.formats import caffe_pb2
from workflow.net.spec import LayerSpec
from workflow.net.windows import Window


@layer("LRN", bottoms=1, tops=1)
class LRN(Layer):
    """Local response normalisation.

    bottom[0]  x  (N, C, H, W)  float32        top[0]  y  same shape
    ACROSS_CHANNELS  y[n,c] = x[n,c] / (k + alpha/size sum_{|j-c| <= size//2} x[n,j]^2) ** beta
    WITHIN_CHANNEL   y[h,w] = x[h,w] / (1 + alpha/size^2 sum_{size x size around h,w} x^2) ** beta; `k` is not used

    The sums take zeros for what lies outside. Source: src/caffe/layers/lrn_layer.cpp, CrossChannelForward_cpu and
    WithinChannelForward.
    """

    def __init__(self, spec: LayerSpec, folder: Path) -> None:
        super().__init__(spec, folder)
        self.param = self.message.lrn_param
        if self.param.local_size % 2 == 0:
            raise self.fail(f"local_size={self.param.local_size}, expected an odd number")

    def top_shapes(self, *bottoms: Shape) -> list[Shape]:
        if len(bottoms[0]) != 4:
            raise self.fail(f"bottom of shape {bottoms[0]}, expected (N, C, H, W)")
        return [bottoms[0]]

    def forward(self, x: Array) -> Array:
        size = self.param.local_size
        if self.param.norm_region == caffe_pb2.LRNParameter.WITHIN_CHANNEL:
            around = Window(kernel=(size, size), pad=(size // 2, size // 2))
            scale = 1 + np.float32(self.param.alpha / size**2) * window_sums(x * x, around)
        else:
            scale = np.float32(self.param.k) + np.float32(self.param.alpha / size) * _across(x * x, size)
        y: Array = x * np.power(scale, np.float32(-self.param.beta))
        return y


def _across(squares: Array, size: int) -> Array:
    """Sums over `size` neighbouring channels."""
    channels, half = squares.shape[1], size // 2
    padded = np.pad(squares, ((0, 0), (half, half), (0, 0), (0, 0)))
    sums = padded[:, :channels].copy()
    for offset in range(1, size):
        sums += padded[:, offset : offset + channels]
    return sums
