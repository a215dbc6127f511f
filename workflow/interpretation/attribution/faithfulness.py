"""Deletion and insertion: does a map find the pixels that the net depends on?

Source: Petsiuk, Das and Saenko 2018, RISE, arXiv:1806.07421, section 4.2. Places are removed (or restored) in the
order of the map, and the target is watched. A good map makes it fall early (small area) or rise early (large area).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

from workflow.engines.base import Array
from workflow.interpretation.differentiable import Differentiable
from workflow.interpretation.targets import Target

STEPS = 32
"""Steps in which the picture is removed: 32 places each at 32 x 32."""
BATCH = 128

Watch = Callable[[Tensor], Tensor]
"""The input blob (N, C, H, W) -> the target's value, (N,)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Merit:
    """Two curves for each of N pictures; a value of 1 is the target at full strength."""

    deletion: Array
    """float32 (N, STEPS + 1): while places are removed, from the whole picture to the mean picture."""
    insertion: Array
    """float32 (N, STEPS + 1): while places are restored, from the blurred picture to the whole one."""

    @property
    def deletion_area(self) -> Array:
        """The area under each deletion curve, (N,): the smaller, the better the map."""
        return _area(self.deletion)

    @property
    def insertion_area(self) -> Array:
        """The area under each insertion curve, (N,): the greater, the better the map."""
        return _area(self.insertion)


def watch(net: Differentiable, target: Target, x: Tensor) -> Watch:
    """The value to follow for a target: a class's probability, or a unit's value as a share of its value for `x`.

    Where a net has no Softmax layer, a class is watched as a unit is. A unit that is 0 for a picture has no share: NaN.
    """
    output = net.model.output
    if target.class_name is not None and output is not None:

        def probability(batch: Tensor) -> Tensor:
            return net.run(batch, until=(output,)).blobs[output].flatten(1)[:, target.channel]

        return probability
    full = target.pick(net.run(x, until=(target.blob,)).blobs[target.blob]).detach()

    def share(batch: Tensor) -> Tensor:
        value = target.pick(net.run(batch, until=(target.blob,)).blobs[target.blob])
        whole = full.repeat_interleave(len(batch) // len(full))
        return torch.where(whole == 0, torch.nan, value / whole)

    return share


def measure(watched: Watch, x: Tensor, heat: Tensor) -> Merit:
    """Both curves for pictures and their maps.

    Places are taken in the order of their heat, the hottest first and those of equal heat in reading order. What is
    deleted becomes the mean picture (0 in the input blob), in all channels at once; what is not yet inserted is
    the picture blurred with a Gaussian of an eighth of its side, which hardly any net recognises.

    Args:
        watched: see `watch`; it is called once for each picture with STEPS + 1 copies of it for each curve.
        x: the input blob, float32 (N, C, H, W).
        heat: (N, H, W).
    """
    order = heat.flatten(1).argsort(dim=1, descending=True, stable=True)  # (N, H*W)
    rank = torch.empty_like(order).scatter_(1, order, torch.arange(order.shape[1]).expand_as(order).contiguous())
    rank = rank.reshape(heat.shape)[:, None, None]  # (N, 1, 1, H, W)
    taken = torch.linspace(0, order.shape[1], STEPS + 1).round()
    gone = rank < taken[None, :, None, None, None]  # (N, STEPS + 1, 1, H, W): which places are taken at each step
    with torch.no_grad():
        deleted = watched((x[:, None] * ~gone).flatten(0, 1))  # rows: all steps of the first picture, then the next
        inserted = watched(torch.where(gone, x[:, None], blurred(x)[:, None]).flatten(0, 1))
    return Merit(deletion=_curves(deleted, len(x)), insertion=_curves(inserted, len(x)))


def blurred(x: Tensor) -> Tensor:
    """Pictures (N, C, H, W) under a Gaussian blur whose sigma is an eighth of the shorter side; borders reflect."""
    height, width = x.shape[2:]
    sigma = min(height, width) / 8
    radius = min(int(3 * sigma), min(height, width) - 1)
    places = torch.arange(-radius, radius + 1, dtype=x.dtype)
    bell = torch.exp(-0.5 * (places / max(sigma, 1e-6)) ** 2)
    bell = (bell / bell.sum()).expand(x.shape[1], 1, 1, -1)  # (C, 1, 1, 2 radius + 1)
    padded = pad(x, (radius, radius, radius, radius), mode="reflect")
    rows = conv2d(padded, bell, groups=x.shape[1])
    return conv2d(rows, bell.transpose(2, 3), groups=x.shape[1])


def _curves(values: Tensor, count: int) -> Array:
    return np.asarray(values.reshape(count, STEPS + 1), np.float32)


def _area(curves: Array) -> Array:
    """By trapezoids; the share of places runs from 0 to 1."""
    area: Array = ((curves[:, 1:] + curves[:, :-1]) / 2).mean(1)
    return area
