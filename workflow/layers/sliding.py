"""Shared parts of layers with learned windows: Convolution and Deconvolution.

Source: src/caffe/layers/base_conv_layer.cpp (LayerSetUp and Reshape).
"""

from __future__ import annotations

import abc
from pathlib import Path

from torch import Tensor

from workflow.layers.base import Layer, ParamBlob, Shape, axis_of
from workflow.net.spec import LayerSpec
from workflow.net.windows import Sizes, Window, convolution_window

MOST_AXES = 3  # torch convolves over 1, 2 or 3


class Sliding(Layer):
    """Learned windows over the axes behind the channels; several bottoms share them, each with its own top.

    The channels are on `axis` (1); all axes before it are batch axes, the 1 to 3 behind it spatial ones.
    """

    def __init__(self, spec: LayerSpec, folder: Path) -> None:
        super().__init__(spec, folder)
        self.param = self.message.convolution_param
        if len(spec.bottoms) != len(spec.tops):
            raise self.fail(f"{len(spec.bottoms)} bottoms and {len(spec.tops)} tops, expected as many")
        if self.param.num_output < 1:
            raise self.fail(f"num_output={self.param.num_output}, expected at least 1")

    def param_blobs(self, *bottoms: Shape) -> list[ParamBlob]:
        axis, channels, outputs = self._axis(bottoms[0]), bottoms[0][self._axis(bottoms[0])], self.param.num_output
        group = self.param.group
        if group < 1 or channels % group or outputs % group:
            raise self.fail(f"group {group} does not divide {channels} channels and {outputs} outputs")
        self.window = convolution_window(self.message, len(bottoms[0]) - axis - 1)
        weight = ParamBlob(
            shape=(*self._weight_channels(channels), *self.window.kernel), filler=self.param.weight_filler
        )
        bias = ParamBlob(shape=(outputs,), filler=self.param.bias_filler)
        return [weight, bias] if self.param.bias_term else [weight]

    def top_shapes(self, *bottoms: Shape) -> list[Shape]:
        self.param_blobs(*bottoms)  # which settles the window
        return self._tops(*bottoms)

    def _tops(self, *bottoms: Shape) -> list[Shape]:
        first = bottoms[0]
        if any(shape != first for shape in bottoms):
            raise self.fail(f"bottoms of shapes {', '.join(map(str, bottoms))}, expected equal ones")
        axis = self._axis(first)
        size = first[axis + 1 :]
        if len(size) != len(self.window.kernel):
            raise self.fail(f"bottom of shape {first}, expected {len(self.window.kernel)} spatial axes")
        out = self._out(self.window, size)
        if min(out) < 1:
            raise self.fail(f"bottom of shape {first} {self._too_small}")
        return [(*first[:axis], self.param.num_output, *out)] * len(bottoms)

    def forward(self, *bottoms: Tensor) -> list[Tensor]:
        self._tops(*(tuple(x.shape) for x in bottoms))
        return [self._slide_over(x) for x in bottoms]

    def _slide_over(self, x: Tensor) -> Tensor:
        axis = self._axis(tuple(x.shape))
        items = x if axis == 1 else x.reshape(-1, *x.shape[axis:])  # (N, C, spatial...)
        channels, weight = items.shape[1], self.blobs[0]
        if channels % self.param.group or self._weight_channels(channels) != tuple(weight.shape[:2]):
            raise self.fail(f"bottom of shape {tuple(x.shape)} does not suit weights of shape {tuple(weight.shape)}")
        y = self._slide(items, weight, self.blobs[1] if self.param.bias_term else None)
        return y if axis == 1 else y.reshape(*x.shape[:axis], *y.shape[1:])

    def _axis(self, shape: Shape) -> int:
        axis = axis_of(self, self.param.axis, len(shape))
        if not 1 <= len(shape) - axis - 1 <= MOST_AXES:
            raise self.fail(
                f"bottom of shape {shape} has {len(shape) - axis - 1} axes behind axis {axis}, that of the channels; "
                f"expected 1 to {MOST_AXES}"
            )
        return axis

    @property
    @abc.abstractmethod
    def _too_small(self) -> str:
        """The error for a bottom that is too small for any output."""

    @abc.abstractmethod
    def _weight_channels(self, channels: int) -> Shape:
        """The first two sizes of the weights."""

    @abc.abstractmethod
    def _out(self, window: Window, size: Sizes) -> Sizes:
        """Spatial sizes of the top."""

    @abc.abstractmethod
    def _slide(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """The top (N, O, spatial...) for x (N, C, spatial...)."""
