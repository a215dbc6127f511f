"""Deconvolution."""

from __future__ import annotations

from torch import Tensor

from workflow.interpretation.attribution.maps.base import Options, method
from workflow.interpretation.targets import Score


@method("deconvolution", signed=False, source="Zeiler and Fergus 2013, arXiv:1311.2901")
def deconvolution(score: Score, x: Tensor, options: Options) -> Tensor:
    """The gradient, passed through each ReLU only if it is positive, regardless of the ReLU's input."""
    from captum.attr import Deconvolution

    del options
    found: Tensor = Deconvolution(score).attribute(x)
    return found
