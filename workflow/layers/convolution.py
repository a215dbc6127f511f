"""Convolution."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import conv1d, conv2d, conv3d, pad

from workflow.layers.base import Shape, layer
from workflow.layers.sliding import Sliding
from workflow.net.windows import Sizes, Window

BLOCK = 16  # channels in oneDNN's largest block
_CONVOLVE = {1: conv1d, 2: conv2d, 3: conv3d}


@layer("Convolution", bottoms=(1, None), tops=(1, None))
class Convolution(Sliding):
    """Cross-correlation with learned windows; several bottoms share them, each with its own top.

    bottom[i]  x  (N, C, H, W)       float32; or (..., C, 1 to 3 spatial axes) with another `axis`
    top[i]     y  (N, O, H', W')     H' = (H + 2 pad - (dilation (kernel - 1) + 1)) / stride + 1
    blobs      W  (O, C/group, kernel_h, kernel_w),  b (O,) unless `bias_term: false`

    Source: src/caffe/layers/conv_layer.cpp. C's division truncates, so that a window larger than the picture by less
    than its stride has one place; what it sees beyond the padding is 0.
    """

    def blocked(self, bottom: Shape) -> bool:
        # other numbers of channels would be filled up to whole blocks: LeNet's 20 and 50 take longer then
        return (
            len(bottom) == 4
            and self._axis(bottom) == 1
            and self.param.num_output % BLOCK == 0
            and not any(self.window.overhang(bottom[2:]))
        )

    @property
    def _too_small(self) -> str:
        return f"is smaller than the window {self.window.kernel}"

    def _weight_channels(self, channels: int) -> Shape:
        return self.param.num_output, channels // self.param.group

    def _out(self, window: Window, size: Sizes) -> Sizes:
        return window.convolved(size)

    def _slide(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        window = self.window
        over = window.overhang(tuple(x.shape[2:]))
        if any(over):
            x = pad(x, [side for length in reversed(over) for side in (0, length)])
        if not x.is_mkldnn and _needs_rows(x, window):
            x, weight = x.flatten().view(x.shape), weight.flatten().view(weight.shape)
        convolve = _CONVOLVE[len(window.kernel)]
        return convolve(x, weight, bias, window.stride, window.pad, window.dilation, self.param.group)


def _needs_rows(x: Tensor, window: Window) -> bool:
    """Whether PyTorch 2.13 fails on channels-last input and weights, as arrays of one channel always appear to be.

    One channel and a top one column wide often give wrong numbers; a picture one column wide with a window wholly in
    the padding ends the process.
    """
    columns = window.convolved(tuple(x.shape[2:]))[-1]
    return (x.shape[1] == 1 and columns == 1) or (x.shape[-1] == 1 and window.pad[-1] >= window.reach[-1])
