"""ReLU6, of the MobileNet forks."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from workflow.layers.base import Layer, Shape, layer


@layer("ReLU6", bottoms=1, tops=1)
class ReLU6(Layer):
    """y = min(max(x, 0) + slope min(x, 0), 6), slope being `relu6_param.negative_slope`, 0 by default.

    The gradient is 1 for 0 < x < 6, the slope for x <= 0, 0 from 6 on; the forks write it so. Krizhevsky 2010
    (Convolutional Deep Belief Networks on CIFAR-10) is where it comes from. May work in place.
    Source: relu6_layer.cpp of the MobileNet forks of Caffe.
    """

    def top_shapes(self, *bottoms: Shape) -> list[Shape]:
        return list(bottoms)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = _Clipped.apply(x, self.message.relu6_param.negative_slope)  # type: ignore[no-untyped-call]  # torch's own
        return y


class _Clipped(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, x: Tensor, slope: float) -> Tensor:
        context.save_for_backward(x)
        context.slope = slope
        return torch.where(x > 0, x, x * slope).clamp(max=6)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (x,) = context.saved_tensors
        rising = torch.where(x > 0, torch.ones_like(x), torch.full_like(x, context.slope))
        return gradients[0] * rising * (x < 6), None
