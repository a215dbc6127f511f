"""Im2col."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import pad

from workflow.layers.base import Layer, axis_of, layer
from workflow.net.windows import convolution_window


@layer("Im2col", bottoms=1, tops=1)
class Im2col(Layer):
    """What the windows of a convolution see, as channels.

    bottom[0]  x  (..., C, H, W)                      channels on `axis` (1), any number of spatial axes behind it
    top[0]     y  (..., C kernel_h kernel_w, H', W')  channel (c kernel_h + i) kernel_w + j holds row i, column j of
               each window over channel c, zeros beyond the picture

    Source: src/caffe/layers/im2col_layer.cpp.
    """

    def forward(self, x: Tensor) -> Tensor:
        axis = axis_of(self, self.message.convolution_param.axis, x.dim())
        lead, channels, size = x.shape[:axis], x.shape[axis], tuple(x.shape[axis + 1 :])
        if not size:
            raise self.fail(f"bottom of shape {tuple(x.shape)} has no axes behind axis {axis}, that of the channels")
        window = convolution_window(self.message, len(size))
        out = window.convolved(size)
        if min(out) < 1:
            raise self.fail(f"bottom of shape {tuple(x.shape)} is smaller than the window {window.kernel}")
        over = window.overhang(size)
        borders = [side for p, o in zip(reversed(window.pad), reversed(over), strict=True) for side in (p, p + o)]
        columns = pad(x.reshape(-1, channels, *size), borders)  # (N, C, spatial...)
        for at, (reach, stride, spread) in enumerate(
            zip(window.reach, window.stride, window.dilation, strict=True), start=2
        ):
            columns = columns.unfold(at, reach, stride)[
                ..., ::spread
            ]  # one axis more at the end, as long as the kernel
        axes = len(size)
        order = [0, 1, *range(2 + axes, 2 + 2 * axes), *range(2, 2 + axes)]
        return columns.permute(order).reshape(*lead, -1, *out)
