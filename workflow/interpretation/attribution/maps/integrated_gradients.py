"""Integrated gradients."""

from __future__ import annotations

import torch
from torch import Tensor

from workflow.interpretation.attribution.maps.base import BATCH, Options, method
from workflow.interpretation.targets import Score

COMPLETE = 0.01
"""The shares must add up to within this part of the difference that they explain."""
_STEPS = (32, 128, 512, 2048)


@method("integrated-gradients", signed=True, source="Sundararajan et al. 2017, arXiv:1703.01365")
def integrated_gradients(score: Score, x: Tensor, options: Options) -> Tensor:
    """(x - b) times the mean gradient on the straight way from the mean picture b (zeros in the input blob) to x.

    The way is cut more finely until the shares add up to S(x) - S(b) within 1 %: each time four times as finely,
    for the pictures that still need it.
    """
    from captum.attr import IntegratedGradients

    del options
    explained = IntegratedGradients(score)
    found = torch.zeros_like(x)
    open_ = list(range(len(x)))
    for steps in _STEPS:
        leaf = x.detach()[open_].clone().requires_grad_()
        found[open_] = explained.attribute(leaf, n_steps=steps, internal_batch_size=max(BATCH, len(leaf))).detach()
        gaps = incompleteness(score, x, found)
        open_ = [index for index, gap in enumerate(gaps.tolist()) if gap > COMPLETE]
        if not open_:
            break
    return found


def incompleteness(score: Score, x: Tensor, shares: Tensor) -> Tensor:
    """Relative error of the sum of shares: |sum - (S(x) - S(b))| / |S(x) - S(b)|, (N,), 0 is complete.

    Infinite where the picture's score is the mean picture's and the shares do not cancel.
    """
    with torch.no_grad():
        difference = score(x) - score(torch.zeros_like(x[:1]))
    gap = (shares.flatten(1).sum(1) - difference).abs()
    return torch.where(gap == 0, gap, gap / difference.abs())
