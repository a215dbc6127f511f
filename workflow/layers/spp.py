"""SPP."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from workflow.formats import caffe_pb2
from workflow.layers.base import Layer, layer
from workflow.layers.pooling import Pooling
from workflow.net.spec import LayerSpec


@layer("SPP", bottoms=1, tops=1)
class SPP(Layer):
    """Spatial pyramid pooling: the picture pooled into 1, 4, 16, ... windows, all results in one row.

    bottom[0]  x  (N, C, H, W)
    top[0]     y  (N, C (1 + 4 + ... + 4^(pyramid_height - 1))), level after level, each as (C, windows);
               (N, C, 1, 1) if pyramid_height is 1

    At level l a window has ceil(side / 2^l) pixels, its stride, and half of what 2^l of them hang over is padding.
    Source: src/caffe/layers/spp_layer.cpp. Pictures whose padding is not smaller than the window are refused there
    and here (5 pixels, 3 levels).
    """

    def __init__(self, spec: LayerSpec, folder: Path) -> None:
        super().__init__(spec, folder)
        self.param = self.message.spp_param
        if self.param.pyramid_height < 1:
            raise self.fail(f"pyramid_height={self.param.pyramid_height}, expected at least 1")
        if self.param.pool == caffe_pb2.SPPParameter.STOCHASTIC:
            raise self.fail("pool STOCHASTIC does not run on a CPU, in Caffe neither; expected MAX or AVE")

    def forward(self, x: Tensor) -> Tensor:
        if x.dim() != 4:
            raise self.fail(f"bottom of shape {tuple(x.shape)}, expected (N, C, H, W)")
        tops = [self._pooling(level, x.shape[2], x.shape[3]).forward(x) for level in range(self.param.pyramid_height)]
        pooled = [top for top in tops if isinstance(top, Tensor)]  # each (N, C, 2^level, 2^level)
        return pooled[0] if len(pooled) == 1 else torch.cat([top.flatten(1) for top in pooled], dim=1)

    def _pooling(self, level: int, height: int, width: int) -> Pooling:
        """The Pooling layer of a level."""
        bins = 2**level
        kernel = [-(-side // bins) for side in (height, width)]
        pad = [(size * bins - side + 1) // 2 for size, side in zip(kernel, (height, width), strict=True)]
        message = caffe_pb2.LayerParameter(name=self.spec.name, type="Pooling")
        average = self.param.pool == caffe_pb2.SPPParameter.AVE
        message.pooling_param.pool = caffe_pb2.PoolingParameter.AVE if average else caffe_pb2.PoolingParameter.MAX
        message.pooling_param.kernel_h, message.pooling_param.kernel_w = kernel
        message.pooling_param.stride_h, message.pooling_param.stride_w = kernel
        message.pooling_param.pad_h, message.pooling_param.pad_w = pad
        spec = LayerSpec(name=self.spec.name, type="Pooling", bottoms=("x",), tops=("y",), message=message)
        pooling = Pooling(spec, self.folder)
        pooling.exact = self.exact
        return pooling
