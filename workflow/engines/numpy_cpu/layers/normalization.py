"""BatchNorm, and Scale, which usually follows it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from workflow.engines.base import Array, Shape
from workflow.engines.numpy_cpu.layers.base import Layer, layer


@layer("BatchNorm", bottoms=1, tops=1)
class BatchNorm(Layer):
    """y = (x - mean) / sqrt(variance + eps) for each channel, without learned scale or bias.

    bottom[0]  x  (N, C, ...)
    blobs      sum of means (C,),  sum of variances (C,),  their weight (1,): the stored mean is blob 0 / blob 2

    With a weight of 0 nothing is stored yet: mean and variance are then 0. With `use_global_stats: false` the
    batch's own mean and biased variance are taken; the stored ones, which Caffe would update, stay as they are.
    Source: src/caffe/layers/batch_norm_layer.cpp (BVLC's: the wheel kendryte-caffe always takes the stored ones).
    """

    def parameters(self, *bottoms: Shape) -> Sequence[Shape]:
        if len(bottoms[0]) < 2:
            raise self.fail(f"bottom of shape {bottoms[0]}, expected at least 2 axes")
        channels = bottoms[0][1]
        return [(channels,), (channels,), (1,)]

    def forward(self, x: Array) -> Array:
        param = self.message.batch_norm_param
        stored = param.use_global_stats if param.HasField("use_global_stats") else self.spec.phase == "TEST"
        if stored:
            means, variances, (weight,) = self.blobs
            factor = np.float32(0 if weight == 0 else 1 / weight)
            mean, variance = means * factor, variances * factor
        else:
            others = (0, *range(2, x.ndim))
            mean, variance = x.mean(axis=others), x.var(axis=others)
        shape = (-1,) + (1,) * (x.ndim - 2)  # (C, 1, ..., 1)
        y: Array = (x - mean.reshape(shape)) / np.sqrt(variance.reshape(shape) + np.float32(param.eps))
        return y


@layer("Scale", bottoms=(1, 2), tops=1)
class Scale(Layer):
    """y = x s + b, with s of the sizes of `num_axes` of x's axes from `axis` on (-1: all the rest, 0: one number).

    bottom[0]  x     bottom[1]  s, where it is not learned; its axes are then as many as it has
    blobs      s where there is one bottom;  b of the same shape with `bias_term`

    Source: src/caffe/layers/scale_layer.cpp, bias_layer.cpp.
    """

    def parameters(self, *bottoms: Shape) -> Sequence[Shape]:
        param = self.message.scale_param
        shape = self._factors(*bottoms)
        return [shape] * ((len(bottoms) == 1) + param.bias_term)

    def _factors(self, *bottoms: Shape) -> Shape:
        param, shape = self.message.scale_param, bottoms[0]
        count = param.num_axes if len(bottoms) == 1 else len(bottoms[1])
        if count == 0:
            return ()
        start = self.axis(param.axis, len(shape))
        end = len(shape) if count == -1 else start + count
        factors = shape[start:end]
        if end > len(shape) or (len(bottoms) == 2 and bottoms[1] != factors):
            what = f"a second bottom of shape {bottoms[1]}" if len(bottoms) == 2 else f"num_axes {count}"
            raise self.fail(f"{what} from axis {start} on does not fit a bottom of shape {shape}")
        return factors

    def forward(self, x: Array, *factors: Array) -> Array:
        param = self.message.scale_param
        learned = iter(self.blobs)
        scale = factors[0] if factors else next(learned)
        start = self.axis(param.axis, x.ndim) if scale.ndim else x.ndim
        shape = scale.shape + (1,) * (x.ndim - start - scale.ndim)  # sizes, then ones for the axes behind them
        y = x * scale.reshape(shape)
        return y + next(learned).reshape(shape) if param.bias_term else y
