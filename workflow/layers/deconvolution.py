"""Deconvolution."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import conv_transpose1d, conv_transpose2d, conv_transpose3d

from workflow.layers.base import Shape, layer
from workflow.layers.sliding import Sliding
from workflow.net.windows import Sizes, Window

_DECONVOLVE = {1: conv_transpose1d, 2: conv_transpose2d, 3: conv_transpose3d}


@layer("Deconvolution", bottoms=(1, None), tops=(1, None))
class Deconvolution(Sliding):
    """Convolution turned round: every value of the bottom adds its window to the top.

    bottom[i]  x  (N, C, H, W)       float32; or (..., C, 1 to 3 spatial axes) with another `axis`
    top[i]     y  (N, O, H', W')     H' = stride (H - 1) + dilation (kernel - 1) + 1 - 2 pad
    blobs      W  (C, O/group, kernel_h, kernel_w),  b (O,) unless `bias_term: false`

    Source: src/caffe/layers/deconv_layer.cpp.
    """

    @property
    def _too_small(self) -> str:
        return f"is not larger than what pad {self.window.pad} takes away"

    def _weight_channels(self, channels: int) -> Shape:
        return channels, self.param.num_output // self.param.group

    def _out(self, window: Window, size: Sizes) -> Sizes:
        return window.deconvolved(size)

    def _slide(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        window, group = self.window, self.param.group
        deconvolve = _DECONVOLVE[len(window.kernel)]
        return deconvolve(x, weight, bias, window.stride, window.pad, 0, group, window.dilation)
