"""Scale."""

from __future__ import annotations

from torch import Tensor

from workflow.formats import caffe_pb2
from workflow.layers.base import Layer, ParamBlob, Shape, layer
from workflow.layers.broadcast import covered_shape, stretched


@layer("Scale", bottoms=(1, 2), tops=1)
class Scale(Layer):
    """y = x s, or y = x s + b with `bias_term: true`; s and b are stretched over the axes that they do not have.

    bottom[0]  x  any shape
    bottom[1]  s  sizes of x from `axis` on, or (); without it s is a blob over `num_axes` axes (1; 0 for one
               number, -1 for all from `axis` on), filled by `filler`, with 1 if there is none
    top[0]     y  shape of x
    blobs      s (if it is no bottom), then b of the same shape, filled by `bias_filler`

    Source: src/caffe/layers/scale_layer.cpp.
    """

    def param_blobs(self, *bottoms: Shape) -> list[ParamBlob]:
        param = self.message.scale_param
        learned = len(bottoms) == 1
        shape = covered_shape(self, bottoms[0], param.axis, param.num_axes) if learned else bottoms[1]
        filler = param.filler if param.HasField("filler") else caffe_pb2.FillerParameter(value=1)
        factor = [ParamBlob(shape=shape, filler=filler)] if learned else []
        summand = [ParamBlob(shape=shape, filler=param.bias_filler)] if param.bias_term else []
        return factor + summand

    def forward(self, x: Tensor, given: Tensor | None = None) -> Tensor:
        param = self.message.scale_param
        y = x * stretched(self, self.blobs[0] if given is None else given, x, param.axis)
        return y + stretched(self, self.blobs[-1], x, param.axis) if param.bias_term else y
