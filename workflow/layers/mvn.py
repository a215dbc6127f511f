"""MVN."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from workflow.layers.base import Layer, layer


@layer("MVN", bottoms=1, tops=1)
class MVN(Layer):
    """Mean and variance normalisation of each channel of each item, or of each item with `across_channels: true`.

    bottom[0]  x  (N, C, H, W) or fewer axes
    top[0]     y  (N, C, H, W), axes that x does not have being 1
               (x - mean) / (std + eps), std biased, eps outside the root; x - mean with `normalize_variance: false`

    Source: src/caffe/layers/mvn_layer.cpp. Its gradient takes eps for a part of std, which it is not: so does this.
    """

    def forward(self, x: Tensor) -> Tensor:
        if x.dim() > 4:
            raise self.fail(f"bottom of shape {tuple(x.shape)}, expected at most 4 axes")
        param = self.message.mvn_param
        x = x.reshape(*x.shape, *[1] * (4 - x.dim()))
        rows = x.flatten(1) if param.across_channels else x.flatten(2)  # (N, C*H*W) or (N, C, H*W)
        centred = rows - rows.mean(dim=-1, keepdim=True)
        if param.normalize_variance:
            centred = _Divided.apply(centred, param.eps)  # type: ignore[no-untyped-call]  # torch's own
        return centred.reshape(x.shape)


class _Divided(torch.autograd.Function):
    """Rows of mean 0 divided by std + eps; the gradient is dx = (g - y mean(g y)) / (std + eps)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, eps: float) -> Tensor:
        divisor = x.square().mean(dim=-1, keepdim=True).sqrt() + eps
        y = x / divisor
        ctx.save_for_backward(y, divisor)
        return y

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        y, divisor = ctx.saved_tensors
        (g,) = gradients
        return (g - y * (g * y).mean(dim=-1, keepdim=True)) / divisor, None
