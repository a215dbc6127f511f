"""Reconstruct a picture from a blob by optimising its pixels.

Mahendran and Vedaldi: Understanding Deep Image Representations by Inverting Them, CVPR 2015, arXiv:1412.0035,
equations 1 and 4: the squared distance of features, relative to their size, and total variation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workflow.engines.base import Array
from workflow.interpretation.differentiable import Differentiable
from workflow.interpretation.synthesis.canvas import Canvas

Progress = Callable[[int, int], None]
"""Called with (done, all) after each step."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings of the optimisation."""

    steps: int = 600
    rate: float = 10.0
    """Adam's first step in pixel values 0..255; it falls to a twentieth along half a cosine."""
    variation: float = 0.02
    """Weight of the total variation: of all pictures with these features, a smooth one."""
    noise: float = 5.0
    """Standard deviation of the start around the mean picture."""
    seed: int = 0


def invert(
    net: Differentiable,
    pixels: NDArray[np.uint8],
    blobs: Sequence[str],
    settings: Settings | None = None,
    *,
    progress: Progress | None = None,
) -> NDArray[np.uint8]:
    """Reconstruct pictures from their activations, all in one batch.

    Args:
        net: the net.
        pixels: uint8 (N, C, H, W), as records hold them.
        blobs: for each picture whose values to match, as Caffe's blob holds them at the end.
        settings: see `Settings`.
        progress: called with (done, all).

    Returns:
        uint8 (N, C, H, W).

    Raises:
        UsageError: I02, the net has no such blob.
        NetError: a layer on the way cannot be differentiated; it is named.
    """
    settings = settings or Settings()
    canvas = Canvas.of(net.model)
    rows = {blob: [row for row, name in enumerate(blobs) if name == blob] for blob in dict.fromkeys(blobs)}
    wanted = {blob: features(net, pixels[mine], blob) for blob, mine in rows.items()}
    generator = torch.Generator().manual_seed(settings.seed)
    found = canvas.start(len(pixels), generator, noise=settings.noise).requires_grad_()
    adam = torch.optim.Adam([found], lr=settings.rate)
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(adam, settings.steps, eta_min=settings.rate / 20)
    for step in range(1, settings.steps + 1):
        run = net.run(canvas.blob(found), until=tuple(rows))
        distances = [_distance(run.tensor(blob)[mine], wanted[blob]) for blob, mine in rows.items()]
        loss = torch.cat(distances).sum() + settings.variation * _variation(found).sum()
        (found.grad,) = torch.autograd.grad(loss, [found])
        adam.step()
        falling.step()
        with torch.no_grad():
            found.clamp_(0, 255)
        if progress is not None:
            progress(step, settings.steps)
    rounded: NDArray[np.uint8] = found.detach().round().to(torch.uint8).numpy()
    return rounded


def features(net: Differentiable, pixels: NDArray[np.uint8], blob: str) -> Tensor:
    """The values of a blob for pictures, (N, ...), not on autograd's tape."""
    with torch.no_grad():
        return net.run(net.blob(pixels), until=(blob,)).blobs[blob].clone()


def feature_error(net: Differentiable, pixels: NDArray[np.uint8], others: NDArray[np.uint8], blob: str) -> Array:
    """||f(other) - f(picture)|| / ||f(picture)|| for each pair of 8-bit pictures, float32 (N,)."""
    one, other = (features(net, both, blob).flatten(1) for both in (pixels, others))
    error: Array = ((other - one).norm(dim=1) / one.norm(dim=1).clamp(min=1e-12)).numpy()
    return error


def stages(net: Differentiable) -> list[str]:
    """The blobs that `wf invert` shows: each convolution's, the last pooling's, the first flat one."""
    flat = next((name for name in net.names if len(net.shapes[name]) == 2), None)
    maps = [name for name in net.names if len(net.shapes[name]) == 4]
    chosen: Sequence[str | None] = (*net.convolutions, maps[-1], flat)
    return list(dict.fromkeys(name for name in chosen if name is not None and name != net.model.input))


def _distance(values: Tensor, wanted: Tensor) -> Tensor:
    """||values - wanted||^2 / ||wanted||^2 of each row, (N,)."""
    size = wanted.flatten(1).square().sum(1).clamp(min=1e-12)
    return (values - wanted).flatten(1).square().sum(1) / size


def _variation(pixels: Tensor) -> Tensor:
    """Mean absolute difference of neighbours as a part of 255, (N,)."""
    down, right = pixels.diff(dim=2).abs().mean((1, 2, 3)), pixels.diff(dim=3).abs().mean((1, 2, 3))
    return (down + right) / 255
