"""Parameter."""

from __future__ import annotations

from torch import Tensor

from workflow.formats import caffe_pb2
from workflow.layers.base import Layer, ParamBlob, Shape, layer


@layer("Parameter", bottoms=0, tops=1)
class Parameter(Layer):
    """A learned blob of the given `shape` as a top; 0 at first. Source: include/caffe/layers/parameter_layer.hpp."""

    def param_blobs(self, *bottoms: Shape) -> list[ParamBlob]:
        del bottoms
        shape = tuple(int(size) for size in self.message.parameter_param.shape.dim)
        return [ParamBlob(shape=shape, filler=caffe_pb2.FillerParameter())]

    def forward(self) -> Tensor:
        return self.blobs[0]
