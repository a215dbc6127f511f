"""Maximise a class, a channel or a unit by gradient ascent on pixels, several seeds at once.

After Erhan et al. 2009 (activation maximisation), Simonyan et al. 2013 (class score before Softmax) and Mahendran and
Vedaldi 2014, arXiv:1412.0035 (total variation).

Measured on cifar10_quick after 5,000 iterations of CIFAR-10, 3 seeds, 128 steps; the least probability of the ten
classes, and the share of channels whose value none but 1 % of 2,000 natural pictures reach:

    weight of total variation       classes    conv1   conv2   conv3
    0                                1.0000     1.00    1.00    1.00    noise and stripes
    2                                1.0000     1.00    1.00    1.00    stripes in the shape of things
    10, as here                      1.0000     1.00    1.00    1.00    a deer, a horse, a ship can be told
    30                               0.966      0.91    0.75    1.00
    100                              0.904      0.59    0.19    0.28    blobs of colour
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workflow.engines.base import Array
from workflow.errors import UsageError
from workflow.interpretation.differentiable import Differentiable
from workflow.interpretation.synthesis.canvas import Canvas
from workflow.interpretation.targets import Target

Progress = Callable[[int, int], None]
"""Called with (done, all) after each step."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Settings of the ascent."""

    steps: int = 128
    rate: float = 4.0
    """Adam's step, in pixel values 0..255."""
    noise: float = 20.0
    """Standard deviation of the start around the mean picture, in pixel values."""
    jitter: int = 1
    """The picture is moved by up to that many pixels, with wrap-around, before each step."""
    variation: float = 10.0
    """Weight of the total variation, against a value that is divided by its own magnitude."""
    decay: float = 0.0
    """Weight of the mean square distance from the mean picture, in units of 255."""
    seeds: int = 4
    seed: int = 0
    """Seed of the noise and the jitter."""
    frames: int = 20
    """Number of intermediate pictures that are kept, including the first and the last; at least 2."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Dream:
    """The best of several seeds for one target."""

    target: Target
    pixels: NDArray[np.uint8]
    """(C, H, W): rounded, as a record holds it."""
    activation: float
    """The target's value for those rounded pixels, through `Model.blob`."""
    probability: float | None
    """The class's probability for them; None for a unit and for a net without Softmax."""
    others: Array
    """float32 (seeds,): the value of each seed's picture."""
    film: NDArray[np.uint8]
    """(frames, C, H, W): the best seed's pictures, from noise on."""


def dream(
    net: Differentiable, targets: Sequence[Target], recipe: Recipe | None = None, *, progress: Progress | None = None
) -> list[Dream]:
    """Maximise targets of one blob, all of them and all their seeds in one batch.

    Args:
        net: the net.
        targets: of one blob.
        recipe: see `Recipe`.
        progress: called with (done, all).

    Raises:
        UsageError: no target, or targets of several blobs; the recipe has no step, seed or frames.
        NetError: a layer on the way cannot be differentiated; it is named.
    """
    recipe = recipe or Recipe()
    if len({target.blob for target in targets}) != 1:
        raise UsageError(f"{len(targets)} targets in several blobs or none, expected targets of one blob")
    if min(recipe.steps, recipe.seeds) < 1 or recipe.frames < 2:
        raise UsageError(
            f"{recipe.steps} steps, {recipe.seeds} seeds, {recipe.frames} frames: expected >= 1, >= 1, >= 2"
        )
    rows = [target for target in targets for _ in range(recipe.seeds)]
    frames = _ascend(net, rows, recipe, progress)  # (frames, rows, C, H, W)
    values, probabilities = score(net, rows, frames[-1])
    found = []
    for number, target in enumerate(targets):
        own = values[number * recipe.seeds : (number + 1) * recipe.seeds]
        best = number * recipe.seeds + int(own.argmax())
        sure = None if probabilities is None or target.kind == "unit" else float(probabilities[best, target.channel])
        found.append(
            Dream(
                target=target,
                pixels=frames[-1, best],
                activation=float(values[best]),
                probability=sure,
                others=own,
                film=frames[:, best],
            )
        )
    return found


def score(net: Differentiable, rows: Sequence[Target], pixels: NDArray[np.uint8]) -> tuple[Array, Array | None]:
    """Each row's target for its 8-bit picture, by the one preprocessing path.

    Args:
        net: the net.
        rows: a target for each picture, of one blob.
        pixels: uint8 (N, C, H, W).

    Returns:
        Values float32 (N,), and probabilities (N, classes) if the net has them.
    """
    with torch.no_grad():
        run = net.run(net.blob(pixels))
        values = _picked(run.blobs[rows[0].blob], rows)
    output = net.model.output
    return values.numpy(), None if output is None else run.blobs[output].flatten(1).numpy()


def _ascend(
    net: Differentiable, rows: Sequence[Target], recipe: Recipe, progress: Progress | None
) -> NDArray[np.uint8]:
    """The pictures of all rows at each kept step, (frames, N, C, H, W)."""
    canvas = Canvas.of(net.model)
    generator = torch.Generator().manual_seed(recipe.seed)
    pixels = canvas.start(len(rows), generator, noise=recipe.noise).requires_grad_()
    adam = torch.optim.Adam([pixels], lr=recipe.rate)
    kept = set(np.linspace(0, recipe.steps, recipe.frames).round().astype(int).tolist())
    film = [_rounded(pixels)]
    for step in range(1, recipe.steps + 1):
        adam.zero_grad()
        loss = _loss(net, canvas, pixels, rows, recipe, generator)
        (pixels.grad,) = torch.autograd.grad(loss, [pixels])
        adam.step()
        with torch.no_grad():
            pixels.clamp_(0, 255)
        if step in kept:
            film.append(_rounded(pixels))
        if progress is not None:
            progress(step, recipe.steps)
    return np.stack(film)


def _loss(
    net: Differentiable,
    canvas: Canvas,
    pixels: Tensor,
    rows: Sequence[Target],
    recipe: Recipe,
    generator: torch.Generator,
) -> Tensor:
    """The loss, summed over the rows, whose gradients do not mix."""
    moves = torch.randint(-recipe.jitter, recipe.jitter + 1, (2,), generator=generator).tolist()
    run = net.run(canvas.blob(pixels.roll(moves, (2, 3))), until=(rows[0].blob,))
    # before a ReLU in place, so that no row is stuck at 0
    values = _picked(run.tensor(rows[0].blob, before=True), rows)
    gain = values / values.detach().abs().clamp(min=1e-3)  # targets of different magnitude weigh alike
    loss = -gain.sum()
    if recipe.variation:
        down, right = pixels.diff(dim=2).abs().mean((1, 2, 3)), pixels.diff(dim=3).abs().mean((1, 2, 3))
        loss = loss + recipe.variation * (down + right).sum() / 255
    if recipe.decay:
        loss = loss + recipe.decay * ((pixels - canvas.mean) / 255).square().mean((1, 2, 3)).sum()
    return loss


def _picked(blob: Tensor, rows: Sequence[Target]) -> Tensor:
    return torch.cat([target.pick(blob[index : index + 1]) for index, target in enumerate(rows)])


def _rounded(pixels: Tensor) -> NDArray[np.uint8]:
    found: NDArray[np.uint8] = pixels.detach().round().to(torch.uint8).numpy().copy()
    return found
