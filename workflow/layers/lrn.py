"""Local response normalisation."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor
from torch.nn.functional import avg_pool2d, avg_pool3d, pad

from workflow.formats import caffe_pb2
from workflow.layers.base import Layer, Shape, layer
from workflow.net.spec import LayerSpec


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

    def forward(self, x: Tensor) -> Tensor:
        self.top_shapes(tuple(x.shape))
        size, half = self.param.local_size, self.param.local_size // 2
        if self.param.norm_region == caffe_pb2.LRNParameter.WITHIN_CHANNEL:
            base, mean = 1.0, avg_pool2d(x * x, size, stride=1, padding=half)
        else:
            squares = pad((x * x).unsqueeze(1), (0, 0, 0, 0, half, half))  # (N, 1, C + 2 half, H, W)
            base, mean = self.param.k, avg_pool3d(squares, (size, 1, 1), stride=1).squeeze(1)
        return x * (base + self.param.alpha * mean).pow(-self.param.beta)
