"""Element by element: ReLU, PReLU, Sigmoid, TanH, Power."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from workflow.engines.base import Array, Shape
from workflow.engines.numpy_cpu.layers.base import Layer, layer

_ZERO, _HALF = np.float32(0), np.float32(0.5)


@layer("ReLU", bottoms=1, tops=1)
class ReLU(Layer):
    """y = max(x, 0) + negative_slope min(x, 0), any shape; minus infinity gives NaN if the slope is 0, as in Caffe.

    Source: src/caffe/layers/relu_layer.cpp.
    """

    def forward(self, x: Array) -> Array:
        slope = np.float32(self.message.relu_param.negative_slope)
        with np.errstate(invalid="ignore"):  # 0 times infinity
            y: Array = np.maximum(x, _ZERO) + slope * np.minimum(x, _ZERO)
        return y


@layer("PReLU", bottoms=1, tops=1)
class PReLU(Layer):
    """y = max(x, 0) + a min(x, 0) with a learned slope a.

    bottom[0]  x  (N, C, ...)     blobs  a  (C,), or () with `channel_shared`
    Source: src/caffe/layers/prelu_layer.cpp.
    """

    def parameters(self, *bottoms: Shape) -> Sequence[Shape]:
        if len(bottoms[0]) < 2:
            raise self.fail(f"bottom of shape {bottoms[0]}, expected at least 2 axes")
        return [() if self.message.prelu_param.channel_shared else (bottoms[0][1],)]

    def forward(self, x: Array) -> Array:
        slope = self.blobs[0]
        slope = slope.reshape(slope.shape + (1,) * (x.ndim - 2))  # (C, 1, ..., 1)
        return np.maximum(x, _ZERO) + slope * np.minimum(x, _ZERO)


@layer("Sigmoid", bottoms=1, tops=1)
class Sigmoid(Layer):
    """y = 1 / (1 + exp(-x)), computed as tanh(x / 2) / 2 + 1 / 2, any shape.

    Source: src/caffe/layers/sigmoid_layer.cpp.
    """

    def forward(self, x: Array) -> Array:
        y: Array = _HALF * np.tanh(_HALF * x) + _HALF
        return y


@layer("TanH", bottoms=1, tops=1)
class TanH(Layer):
    """y = tanh x, any shape.

    Source: src/caffe/layers/tanh_layer.cpp.
    """

    def forward(self, x: Array) -> Array:
        return np.tanh(x)


@layer("Power", bottoms=1, tops=1)
class Power(Layer):
    """y = (shift + scale x) ** power, any shape; a power of 0 gives 1 for every x.

    Source: src/caffe/layers/power_layer.cpp.
    """

    def forward(self, x: Array) -> Array:
        param = self.message.power_param
        base: Array = np.float32(param.shift) + np.float32(param.scale) * x
        if param.power == 1:
            return base
        with np.errstate(invalid="ignore", divide="ignore"):  # C's pow is as silent about negative bases and 0
            y: Array = np.power(base, np.float32(param.power))
        return y
