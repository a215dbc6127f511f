"""Guided backpropagation."""

from __future__ import annotations

from torch import Tensor

from workflow.interpretation.attribution.maps.base import Options, method
from workflow.interpretation.targets import Score


@method("guided-backpropagation", signed=False, source="Springenberg et al. 2014, arXiv:1412.6806")
def guided_backpropagation(score: Score, x: Tensor, options: Options) -> Tensor:
    """The gradient, but at every ReLU only where its input was positive and the gradient is, too.

    It shows edges that the net can see rather than what decided (Adebayo et al. 2018). Leaky ReLUs pass unchanged.
    """
    from captum.attr import GuidedBackprop

    del options
    found: Tensor = GuidedBackprop(score).attribute(x)
    return found
