"""Saliency."""

from __future__ import annotations

from torch import Tensor

from workflow.interpretation.attribution.maps.base import Options, method
from workflow.interpretation.targets import Score


@method("saliency", signed=False, source="Simonyan et al. 2013, arXiv:1312.6034")
def saliency(score: Score, x: Tensor, options: Options) -> Tensor:
    """dS/dx: the change of the score for a small change of an input value, with its sign."""
    from captum.attr import Saliency

    del options
    found: Tensor = Saliency(score).attribute(x, abs=False)
    return found
