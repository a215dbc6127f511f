"""Pooling, MAX and AVE."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, max_pool2d, pad

from workflow.formats import caffe_pb2
from workflow.layers.base import Layer, Shape, layer
from workflow.net.spec import LayerSpec
from workflow.net.windows import Pair, Window, pooling_window

_FLOAT_MAX = torch.finfo(torch.float32).max


@layer("Pooling", bottoms=1, tops=(1, 2))
class Pooling(Layer):
    """The maximum or the average of each window, one channel at a time.

    bottom[0]  x  (N, C, H, W)    float32
    top[0]     y  (N, C, H', W')  H' = ceil((H + 2 pad - kernel) / stride) + 1, or floor with `round_mode: FLOOR`
    top[1]     MAX only: where the maximum was, as h W + w; -1 for a window that lies wholly outside the picture

    AVE divides by the part of the window inside the padded picture: padding counts, what hangs over does not.
    MAX takes the first maximum in row-major order; padding never wins.
    Source: src/caffe/layers/pooling_layer.cpp. A window that lies wholly outside the picture gives -FLT_MAX (MAX),
    as there, but passes no gradient, where Caffe's MAX writes through an index of -1. AVE's formula divides by a size
    of 0 or less then: -0, or NaN if the window begins right behind the picture. Caffe's MAX never takes NaN, nor minus
    infinity; where the layer is not `exact`, they are taken as torch does.
    STOCHASTIC has no CPU form in Caffe and none here.
    """

    def __init__(self, spec: LayerSpec, folder: Path) -> None:
        super().__init__(spec, folder)
        self.param = self.message.pooling_param
        self.ceil = self.param.round_mode == caffe_pb2.PoolingParameter.CEIL
        if self.param.pool == caffe_pb2.PoolingParameter.STOCHASTIC:
            raise self.fail("pool STOCHASTIC does not run on a CPU, in Caffe neither; expected MAX or AVE")
        self.average = self.param.pool == caffe_pb2.PoolingParameter.AVE
        if self.average and len(spec.tops) > 1:
            raise self.fail("a second top holds the places of maxima; AVE has none")

    def blocked(self, bottom: Shape) -> bool:
        if len(bottom) != 4 or len(self.spec.tops) > 1:
            return False
        window, size = pooling_window(self.message, bottom[2:]), bottom[2:]
        # oneDNN's average counts all that hangs over as padding, or no padding at all
        return _torch_agrees(window, size, window.pooled(size, ceil=self.ceil)) and not (
            self.average and any(window.pad)
        )

    def top_shapes(self, *bottoms: Shape) -> list[Shape]:
        _, out = self._window(bottoms[0])
        return [(*bottoms[0][:2], *out)] * len(self.spec.tops)

    def _window(self, bottom: Shape) -> tuple[Window, Pair]:
        """The windows over a bottom of that shape, and how many there are down and across."""
        if len(bottom) != 4:
            raise self.fail(f"bottom of shape {bottom}, expected (N, C, H, W)")
        window = pooling_window(self.message, bottom[2:])
        out = window.pooled(bottom[2:], ceil=self.ceil)
        if min(out) < 1:
            raise self.fail(f"bottom of shape {bottom} is smaller than the window {window.kernel}")
        return window, (out[0], out[1])

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        window, out = self._window(tuple(x.shape))
        size = (x.shape[2], x.shape[3])
        if self.exact and not self.average:
            return self._maximum(torch.where(x >= -_FLOAT_MAX, x, -_FLOAT_MAX), window, out)  # NaN is not >= either
        if _torch_agrees(window, size, out):
            return self._direct(x, window)
        return self._average(x, window, out) if self.average else self._maximum(x, window, out)

    def _direct(self, x: Tensor, window: Window) -> Tensor | tuple[Tensor, Tensor]:
        if self.average:
            counting = not x.is_mkldnn  # see `blocked`
            y = avg_pool2d(x, window.kernel, window.stride, window.pad, self.ceil, count_include_pad=counting)
            if y.requires_grad and x.is_contiguous(memory_format=torch.channels_last):
                # a row-major gradient, as InnerProduct gives it, takes torch's backward pass seven times as long
                y.register_hook(lambda gradient: gradient.contiguous(memory_format=torch.channels_last))  # type: ignore[no-untyped-call]
            return y
        if len(self.spec.tops) == 1:
            return max_pool2d(x, window.kernel, window.stride, window.pad, ceil_mode=self.ceil)
        y, index = max_pool2d(x, window.kernel, window.stride, window.pad, ceil_mode=self.ceil, return_indices=True)
        return y, index.to(torch.float32)

    def _maximum(self, x: Tensor, window: Window, out: Pair) -> Tensor | tuple[Tensor, Tensor]:
        """Pad with -FLT_MAX by hand, so that no rule of torch's about padding applies."""
        borders = _borders(window, (x.shape[2], x.shape[3]), out)
        padded = pad(x, borders, value=-_FLOAT_MAX)
        y, index = max_pool2d(padded, window.kernel, window.stride, return_indices=True)
        y, index = y[:, :, : out[0], : out[1]], index[:, :, : out[0], : out[1]]
        if len(self.spec.tops) == 1:
            return y
        row, column = index // padded.shape[3] - window.pad[0], index % padded.shape[3] - window.pad[1]
        return y, torch.where(y > -_FLOAT_MAX, row * x.shape[3] + column, -1).to(torch.float32)

    def _average(self, x: Tensor, window: Window, out: Pair) -> Tensor:
        """Sum windows of a picture padded with zeros, then divide by Caffe's clipped window sizes."""
        size = (x.shape[2], x.shape[3])
        padded = pad(x, _borders(window, size, out))
        sums = avg_pool2d(padded, window.kernel, window.stride, divisor_override=1)[:, :, : out[0], : out[1]]
        counts = [_counts(window, axis, size[axis], out[axis]).to(x.device) for axis in (0, 1)]
        return sums / (counts[0][:, None] * counts[1][None, :])


def _torch_agrees(window: Window, size: Pair, out: Pair) -> bool:
    """Whether torch allows the padding, and every window begins inside the picture or its leading padding."""
    return all(
        2 * window.pad[axis] <= window.kernel[axis]
        and (out[axis] - 1) * window.stride[axis] < size[axis] + window.pad[axis]
        for axis in (0, 1)
    )


def _borders(window: Window, size: Pair, out: Pair) -> list[int]:
    """Columns and rows to add (left, right, top, bottom) so that every window is whole."""
    ends = [
        max(0, (out[axis] - 1) * window.stride[axis] + window.kernel[axis] - window.pad[axis] - size[axis])
        for axis in (0, 1)
    ]
    return [window.pad[1], ends[1], window.pad[0], ends[0]]


def _counts(window: Window, axis: int, length: int, out: int) -> Tensor:
    """The number of padded positions in each window along an axis; below 1 if it is outside."""
    start = torch.arange(out) * window.stride[axis] - window.pad[axis]
    end = (start + window.kernel[axis]).clamp(max=length + window.pad[axis])
    return (end - start).to(torch.float32)
