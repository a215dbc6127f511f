"""Bias."""

from __future__ import annotations

from torch import Tensor

from workflow.layers.base import Layer, ParamBlob, Shape, layer
from workflow.layers.broadcast import covered_shape, stretched


@layer("Bias", bottoms=(1, 2), tops=1)
class Bias(Layer):
    """y = x + b, b stretched over the axes that it does not have.

    bottom[0]  x  any shape
    bottom[1]  b  sizes of x from `axis` on, or (); without it b is a blob over `num_axes` axes (1; 0 for one
               number, -1 for all from `axis` on), filled by `filler`, with 0 if there is none
    top[0]     y  shape of x

    Source: src/caffe/layers/bias_layer.cpp.
    """

    def param_blobs(self, *bottoms: Shape) -> list[ParamBlob]:
        if len(bottoms) == 2:
            return []
        param = self.message.bias_param
        return [ParamBlob(shape=covered_shape(self, bottoms[0], param.axis, param.num_axes), filler=param.filler)]

    def forward(self, x: Tensor, given: Tensor | None = None) -> Tensor:
        bias = self.blobs[0] if given is None else given
        return x + stretched(self, bias, x, self.message.bias_param.axis)
