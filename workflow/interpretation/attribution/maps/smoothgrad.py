"""SmoothGrad."""

from __future__ import annotations

import torch
from torch import Tensor

from workflow.interpretation.attribution.maps.base import BATCH, Options, method
from workflow.interpretation.targets import Score

SAMPLES = 50
NOISE = 0.15
"""Standard deviation of the noise, as a share of the picture's range; the paper finds 0.1 to 0.2 the clearest."""


@method("smoothgrad", signed=False, source="Smilkov et al. 2017, arXiv:1706.03825")
def smoothgrad(score: Score, x: Tensor, options: Options) -> Tensor:
    """The mean gradient of 50 copies of the picture with noise added."""
    from captum.attr import NoiseTunnel, Saliency

    torch.manual_seed(options.seed)
    tunnel = NoiseTunnel(Saliency(score))
    maps = []
    for one in x.detach():  # the noise is relative to each picture's own range
        level = NOISE * float(one.max() - one.min())
        maps.append(
            tunnel.attribute(
                one[None].clone().requires_grad_(),
                nt_type="smoothgrad",
                nt_samples=SAMPLES,
                nt_samples_batch_size=min(SAMPLES, BATCH),
                stdevs=level,
                abs=False,
            ).detach()
        )
    return torch.cat(maps)
