"""Sliding windows of convolution and pooling: their parameters, and the output sizes as in Caffe.

Sources: src/caffe/layers/base_conv_layer.cpp (LayerSetUp), conv_layer.cpp (compute_output_shape),
pooling_layer.cpp (LayerSetUp, Reshape).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from msgspec import Struct

from workflow.errors import NetError
from workflow.formats import caffe_pb2

Pair = tuple[int, int]  # (vertical, horizontal)
Sizes = tuple[int, ...]  # one for each spatial axis


class Window(Struct, frozen=True, kw_only=True):
    """A window over the last axes of a blob, the two of (N, C, H, W) mostly, in pixels; one number for each axis."""

    kernel: Sizes
    stride: Sizes = (1, 1)
    pad: Sizes = (0, 0)
    dilation: Sizes = (1, 1)

    @property
    def reach(self) -> Sizes:
        """From the first to the last place that the window sees."""
        return tuple(spread * (size - 1) + 1 for size, spread in zip(self.kernel, self.dilation, strict=True))

    def convolved(self, size: Sizes) -> Sizes:
        """The spatial sizes of a convolution's top over a bottom of that size."""
        # C's integer division truncates towards zero, Python's floors
        return tuple(
            int((length + 2 * pad - reach) / stride) + 1
            for length, pad, reach, stride in zip(size, self.pad, self.reach, self.stride, strict=True)
        )

    def deconvolved(self, size: Sizes) -> Sizes:
        """The spatial sizes of a deconvolution's top: those whose convolution gives a bottom of that size."""
        return tuple(
            stride * (length - 1) + reach - 2 * pad
            for length, pad, reach, stride in zip(size, self.pad, self.reach, self.stride, strict=True)
        )

    def overhang(self, size: Sizes) -> Sizes:
        """How far the last window of a convolution reaches beyond the padding: not 0 only where C truncates."""
        return tuple(
            max(0, (out - 1) * stride + reach - length - 2 * pad)
            for out, length, pad, reach, stride in zip(
                self.convolved(size), size, self.pad, self.reach, self.stride, strict=True
            )
        )

    def pooled(self, size: Pair, *, ceil: bool = True) -> Pair:
        """(H, W) of a pooling's top; a last window that would begin in the padding is dropped."""
        return self._pooled(0, size[0], ceil), self._pooled(1, size[1], ceil)

    def _pooled(self, axis: int, length: int, ceil: bool) -> int:
        steps = (length + 2 * self.pad[axis] - self.kernel[axis]) / self.stride[axis]
        out = (math.ceil(steps) if ceil else math.floor(steps)) + 1
        if any(self.pad) and (out - 1) * self.stride[axis] >= length + self.pad[axis]:
            out -= 1
        return out


def convolution_window(layer: caffe_pb2.LayerParameter, axes: int = 2) -> Window:
    """The window of a Convolution, Deconvolution or Im2col layer over that many spatial axes.

    Raises:
        NetError: no kernel size, a size of 0, or both spellings (`kernel_size` and `kernel_h`) of one thing.
    """
    param = layer.convolution_param
    kernel = _sizes(layer.name, "kernel", param.kernel_size, param, axes=axes, default=None)
    stride = _sizes(layer.name, "stride", param.stride, param, axes=axes, default=1)
    pad = _sizes(layer.name, "pad", param.pad, param, axes=axes, default=0, least=0)
    dilation = _sizes(layer.name, "dilation", param.dilation, None, axes=axes, default=1)
    return Window(kernel=kernel, stride=stride, pad=pad, dilation=dilation)


def pooling_window(layer: caffe_pb2.LayerParameter, size: Pair) -> Window:
    """The window of a Pooling layer over a bottom of (H, W) `size`, which global pooling takes as its kernel.

    Raises:
        NetError: no kernel size, a size of 0, padding not smaller than the kernel, half a pair, or global pooling
            with any of them.
    """
    param = layer.pooling_param
    stride = _sizes(layer.name, "stride", [param.stride] if param.HasField("stride") else [], param, default=1)
    pad = _sizes(layer.name, "pad", [param.pad] if param.HasField("pad") else [], param, default=0, least=0)
    if param.global_pooling:
        if param.HasField("kernel_size") or param.HasField("kernel_h") or param.HasField("kernel_w"):
            raise NetError(f"layer '{layer.name}' (Pooling): global_pooling takes no kernel size")
        if any(pad) or stride != (1, 1):
            raise NetError(
                f"layer '{layer.name}' (Pooling): global_pooling with pad {pad} and stride {stride}, "
                "expected pad 0 and stride 1"
            )
        return Window(kernel=size)

    kernel_size = [param.kernel_size] if param.HasField("kernel_size") else []
    kernel = _sizes(layer.name, "kernel", kernel_size, param, default=None)
    if pad[0] >= kernel[0] or pad[1] >= kernel[1]:
        raise NetError(f"layer '{layer.name}' (Pooling): pad {pad}, expected less than the kernel {kernel}")
    return Window(kernel=kernel, stride=stride, pad=pad)


def _sizes(
    layer: str,
    what: str,
    repeated: Sequence[int],
    param: caffe_pb2.ConvolutionParameter | caffe_pb2.PoolingParameter | None,
    *,
    axes: int = 2,
    default: int | None,
    least: int = 1,
) -> Sizes:
    """One value for each axis: from `what_h` and `what_w`, or from the field given once or as often as there are axes.

    A field given once counts for all axes; `what_h` and `what_w` are for two axes.
    """
    pair = (f"{what}_h", f"{what}_w")
    if param is not None and any(map(param.HasField, pair)):
        # the other half of a pair is 0, which only the padding of a convolution may be; Pooling wants both
        half = not all(map(param.HasField, pair)) and (least > 0 or isinstance(param, caffe_pb2.PoolingParameter))
        if repeated or half:
            raise NetError(f"layer '{layer}': set either {what} once, or both {what}_h and {what}_w")
        if axes != len(pair):
            raise NetError(f"layer '{layer}': {what}_h and {what}_w, but there are {axes} spatial axes")
        sizes = tuple(int(getattr(param, field)) for field in pair)
    elif repeated and len(repeated) in (1, axes):
        sizes = tuple(repeated) if len(repeated) == axes else (repeated[0],) * axes
    elif not repeated and default is not None:
        sizes = (default,) * axes
    else:
        raise NetError(f"layer '{layer}': {len(repeated)} {what} sizes, expected 1 or {axes}")
    if min(sizes) < least:
        raise NetError(f"layer '{layer}': {what} {sizes}, expected at least {least}")
    return sizes
