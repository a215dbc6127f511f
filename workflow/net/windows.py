"""Sliding windows of convolution and pooling: parsed once, with the output sizes that Caffe gives.

Sources: src/caffe/layers/base_conv_layer.cpp (LayerSetUp), conv_layer.cpp (compute_output_shape),
pooling_layer.cpp (LayerSetUp, Reshape).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from workflow.errors import NetError
from workflow.formats import caffe_pb2

Pair = tuple[int, int]  # (vertical, horizontal)


@dataclass(frozen=True, kw_only=True)
class Window:
    """A window over the last two axes of a blob (N, C, H, W), in pixels."""

    kernel: Pair
    stride: Pair = (1, 1)
    pad: Pair = (0, 0)
    dilation: Pair = (1, 1)

    def convolved(self, size: Pair) -> Pair:
        """(H, W) of a convolution's top over a bottom of that size."""
        return self._convolved(0, size[0]), self._convolved(1, size[1])

    def pooled(self, size: Pair, *, ceil: bool = True) -> Pair:
        """(H, W) of a pooling's top; a last window that would begin in the padding is dropped."""
        return self._pooled(0, size[0], ceil), self._pooled(1, size[1], ceil)

    def _convolved(self, axis: int, length: int) -> int:
        reach = self.dilation[axis] * (self.kernel[axis] - 1) + 1
        # C's integer division truncates towards zero, Python's floors
        return int((length + 2 * self.pad[axis] - reach) / self.stride[axis]) + 1

    def _pooled(self, axis: int, length: int, ceil: bool) -> int:
        steps = (length + 2 * self.pad[axis] - self.kernel[axis]) / self.stride[axis]
        out = (math.ceil(steps) if ceil else math.floor(steps)) + 1
        if any(self.pad) and (out - 1) * self.stride[axis] >= length + self.pad[axis]:
            out -= 1
        return out


def convolution_window(layer: caffe_pb2.LayerParameter) -> Window:
    """The window of a Convolution layer over two spatial axes.

    Raises:
        NetError: no kernel size, a size of 0, or both spellings (`kernel_size` and `kernel_h`) of one thing.
    """
    param = layer.convolution_param
    kernel = _pair(layer.name, "kernel", param.kernel_size, param, default=None)
    stride = _pair(layer.name, "stride", param.stride, param, default=1)
    pad = _pair(layer.name, "pad", param.pad, param, default=0, least=0)
    dilation = _pair(layer.name, "dilation", param.dilation, None, default=1)
    return Window(kernel=kernel, stride=stride, pad=pad, dilation=dilation)


def pooling_window(layer: caffe_pb2.LayerParameter, size: Pair) -> Window:
    """The window of a Pooling layer over a bottom of (H, W) `size`, which global pooling takes as its kernel.

    Raises:
        NetError: no kernel size, a size of 0, padding not smaller than the kernel, or half a pair.
    """
    param = layer.pooling_param
    if param.global_pooling:
        if param.HasField("kernel_size") or param.HasField("kernel_h") or param.HasField("kernel_w"):
            raise NetError(f"layer '{layer.name}' (Pooling): global_pooling takes no kernel size")
        return Window(kernel=size)

    kernel_size = [param.kernel_size] if param.HasField("kernel_size") else []
    kernel = _pair(layer.name, "kernel", kernel_size, param, default=None)
    stride = _pair(layer.name, "stride", [param.stride] if param.HasField("stride") else [], param, default=1)
    pad = _pair(layer.name, "pad", [param.pad] if param.HasField("pad") else [], param, default=0, least=0)
    if pad[0] >= kernel[0] or pad[1] >= kernel[1]:
        raise NetError(f"layer '{layer.name}' (Pooling): pad {pad}, expected less than the kernel {kernel}")
    return Window(kernel=kernel, stride=stride, pad=pad)


def _pair(
    layer: str,
    what: str,
    repeated: Sequence[int],
    param: caffe_pb2.ConvolutionParameter | caffe_pb2.PoolingParameter | None,
    *,
    default: int | None,
    least: int = 1,
) -> Pair:
    """One value for each of two axes, from `what_h` and `what_w` or from the field given once or twice."""
    sides = [
        int(getattr(param, field))
        for field in (f"{what}_h", f"{what}_w")
        if param is not None and param.HasField(field)
    ]
    if sides:
        if repeated or len(sides) == 1:
            raise NetError(f"layer '{layer}': set either {what} once, or both {what}_h and {what}_w")
        pair = (sides[0], sides[1])
    elif len(repeated) in (1, 2):
        pair = (repeated[0], repeated[-1])
    elif not repeated and default is not None:
        pair = (default, default)
    else:
        raise NetError(f"layer '{layer}': {len(repeated)} {what} sizes, expected 1 or 2")
    if min(pair) < least:
        raise NetError(f"layer '{layer}': {what} {pair}, expected at least {least}")
    return pair
