"""ContrastiveLoss."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from workflow.layers.base import Layer, Shape, layer
from workflow.layers.loss import check_batches

_EPSILON = 1e-4


@layer("ContrastiveLoss", bottoms=3, tops=1)
class ContrastiveLoss(Layer):
    """Pulls similar pairs together and pushes others at least `margin` apart (Hadsell, Chopra, LeCun 2006).

    bottom[0]  a  (N, C)        bottom[1]  b  (N, C)        bottom[2]  y  (N,)  not 0 for pairs that are alike
    top[0]     loss  ()         sum(d^2 for alike ones, max(margin - d, 0)^2 for others) / (2 N), d = |a - b|

    Axes after C, and after N of y, have size 1. `legacy_version: true` takes max(margin - d^2, 0) for others. The
    gradient of others divides by d + 1e-4, as Caffe's does: not by d.
    Source: src/caffe/layers/contrastive_loss_layer.cpp.
    """

    def top_shapes(self, *bottoms: Shape) -> list[Shape]:
        check_batches(self, *bottoms)
        a, b, alike = bottoms
        if max(map(len, bottoms)) > 4 or any(size != 1 for size in (*a[2:], *b[2:], *alike[1:])):
            raise self.fail(f"bottoms of shapes {a}, {b} and {alike}, expected (N, C, 1, 1) twice and (N, 1, 1, 1)")
        if a[1:2] != b[1:2]:
            raise self.fail(f"bottoms of shapes {a} and {b}, expected as many channels")
        return [()]

    def forward(self, a: Tensor, b: Tensor, alike: Tensor) -> Tensor:
        self.top_shapes(tuple(a.shape), tuple(b.shape), tuple(alike.shape))
        items = a.shape[0]
        difference = (a.float() - b.float().reshape(a.shape)).reshape(items, -1)
        param = self.message.contrastive_loss_param
        same = alike.detach().reshape(-1).long() != 0
        cost: Tensor = _Cost.apply(difference, same, param.margin, param.legacy_version)  # type: ignore[no-untyped-call]  # torch's own
        return cost / (2 * items)


class _Cost(torch.autograd.Function):
    """The sum over pairs, of differences (N, C)."""

    @staticmethod
    def forward(context: Any, difference: Tensor, alike: Tensor, margin: float, legacy: bool) -> Tensor:
        squared = difference.square().sum(dim=1)
        missing = (margin - (squared if legacy else squared.sqrt())).clamp(min=0)
        context.save_for_backward(difference, alike, squared, missing)
        context.legacy = legacy
        return torch.where(alike, squared, missing if legacy else missing.square()).sum()

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        difference, alike, squared, missing = context.saved_tensors
        apart = (missing > 0).to(difference.dtype) if context.legacy else missing / (squared.sqrt() + _EPSILON)
        factor = 2 * torch.where(alike, torch.ones_like(apart), -apart)
        return gradients[0] * factor.unsqueeze(1) * difference, None, None, None
