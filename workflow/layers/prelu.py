"""PReLU."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import prelu

from workflow.formats import caffe_pb2
from workflow.layers.base import Elementwise, ParamBlob, Shape, layer


@layer("PReLU", bottoms=1, tops=1)
class PReLU(Elementwise):
    """y = max(x, 0) + slope min(x, 0), slopes being learned.

    bottom[0]  x      (N, C, ...)  2 to 4 axes        top[0]  y  same shape
    blobs      slope  (C,), or () with `channel_shared: true`; filled by `filler`, with 0.25 if there is none

    Source: src/caffe/layers/prelu_layer.cpp.
    """

    def param_blobs(self, *bottoms: Shape) -> list[ParamBlob]:
        if not 2 <= len(bottoms[0]) <= 4:
            raise self.fail(f"bottom of shape {bottoms[0]}, expected (N, C, ...) with 2 to 4 axes")
        param = self.message.prelu_param
        filler = param.filler if param.HasField("filler") else caffe_pb2.FillerParameter(value=0.25)
        return [ParamBlob(shape=() if param.channel_shared else (bottoms[0][1],), filler=filler)]

    def forward(self, x: Tensor) -> Tensor:
        slope = self.blobs[0].reshape(-1)
        if not 2 <= x.dim() <= 4 or slope.numel() not in (1, x.shape[1]):
            raise self.fail(f"bottom of shape {tuple(x.shape)}, expected {slope.numel()} channels on axis 1")
        return prelu(x, slope)
