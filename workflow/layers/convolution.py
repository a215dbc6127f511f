"""Convolution."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor
from torch.nn.functional import conv2d

from workflow.layers.base import Layer, ParamBlob, Shape, axis_of, layer
from workflow.net.spec import LayerSpec
from workflow.net.windows import convolution_window


@layer("Convolution", bottoms=(1, None), tops=(1, None))
class Convolution(Layer):
    """Cross-correlation with learned windows; several bottoms share them, each with its own top.

    bottom[i]  x  (N, C, H, W)       float32
    top[i]     y  (N, O, H', W')     H' = (H + 2 pad - (dilation (kernel - 1) + 1)) / stride + 1
    blobs      W  (O, C/group, kernel_h, kernel_w),  b (O,) unless `bias_term: false`

    Source: src/caffe/layers/base_conv_layer.cpp, conv_layer.cpp. Two spatial axes only; Caffe takes any number.
    """

    def __init__(self, spec: LayerSpec, folder: Path) -> None:
        super().__init__(spec, folder)
        self.param = self.message.convolution_param
        self.window = convolution_window(self.message)
        if len(spec.bottoms) != len(spec.tops):
            raise self.fail(f"{len(spec.bottoms)} bottoms and {len(spec.tops)} tops, expected as many")
        if self.param.num_output < 1:
            raise self.fail(f"num_output={self.param.num_output}, expected at least 1")

    def param_blobs(self, *bottoms: Shape) -> list[ParamBlob]:
        shape = bottoms[0]
        if len(shape) != 4 or axis_of(self, self.param.axis, 4) != 1:
            raise self.fail(f"bottom of shape {shape} and axis {self.param.axis}, expected (N, C, H, W) and axis 1")
        channels, outputs, group = shape[1], self.param.num_output, self.param.group
        if group < 1 or channels % group or outputs % group:
            raise self.fail(f"group {group} does not divide {channels} channels and {outputs} outputs")
        if min(self.window.convolved((shape[2], shape[3]))) < 1:
            raise self.fail(f"bottom of shape {shape} is smaller than the window {self.window.kernel}")
        weight = ParamBlob(shape=(outputs, channels // group, *self.window.kernel), filler=self.param.weight_filler)
        bias = ParamBlob(shape=(outputs,), filler=self.param.bias_filler)
        return [weight, bias] if self.param.bias_term else [weight]

    def forward(self, *bottoms: Tensor) -> list[Tensor]:
        return [self._convolve(x) for x in bottoms]

    def _convolve(self, x: Tensor) -> Tensor:
        bias = self.blobs[1] if self.param.bias_term else None
        window = self.window
        if min(window.convolved((x.shape[2], x.shape[3]))) < 1:
            raise self.fail(f"bottom of shape {tuple(x.shape)} is smaller than the window {window.kernel}")
        return conv2d(x, self.blobs[0], bias, window.stride, window.pad, window.dilation, self.param.group)
