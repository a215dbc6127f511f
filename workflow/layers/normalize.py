"""Normalize, of the SSD fork."""

from __future__ import annotations

from torch import Tensor

from workflow.formats import caffe_pb2
from workflow.layers.base import Layer, ParamBlob, Shape, layer


@layer("Normalize", bottoms=1, tops=1)
class Normalize(Layer):
    """Vectors of length 1, times a learned scale (ParseNet, Liu, Rabinovich, Berg 2015, equation 5).

    bottom[0]  x      (N, C, ...)  2 to 4 axes        top[0]  y  same shape
    blobs      scale  (), or (C,) with `channel_shared: false`; filled by `scale_filler`, with 1 if there is none

    y = scale x / sqrt(sum x^2 + eps). The sum goes over the channels of each place, or with `across_spatial: true`,
    the default, over the whole item. Source: normalize_layer.cpp of W. Liu's SSD fork. Its code adds eps to the sum
    as said here; the gradient is the exact one.
    """

    def param_blobs(self, *bottoms: Shape) -> list[ParamBlob]:
        self.top_shapes(*bottoms)
        param = self.message.norm_param
        filler = param.scale_filler if param.HasField("scale_filler") else caffe_pb2.FillerParameter(value=1)
        return [ParamBlob(shape=() if param.channel_shared else (bottoms[0][1],), filler=filler)]

    def top_shapes(self, *bottoms: Shape) -> list[Shape]:
        if not 2 <= len(bottoms[0]) <= 4:
            raise self.fail(f"bottom of shape {bottoms[0]}, expected (N, C, ...) with 2 to 4 axes")
        return [bottoms[0]]

    def forward(self, x: Tensor) -> Tensor:
        self.top_shapes(tuple(x.shape))
        param = self.message.norm_param
        if self.blobs[0].numel() not in (1, x.shape[1]):
            raise self.fail(f"bottom of shape {tuple(x.shape)}, expected {self.blobs[0].numel()} channels")
        axes = list(range(1, x.dim())) if param.across_spatial else [1]
        norm = (x.square().sum(dim=axes, keepdim=True) + param.eps).sqrt()
        return x / norm * self.blobs[0].reshape(1, -1, *[1] * (x.dim() - 2))
