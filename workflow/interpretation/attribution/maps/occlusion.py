"""Occlusion."""

from __future__ import annotations

from torch import Tensor

from workflow.interpretation.attribution.maps.base import BATCH, Options, method
from workflow.interpretation.targets import Score

_WINDOWS = 6
_STEPS = 3


@method("occlusion", signed=True, source="Zeiler and Fergus 2013, arXiv:1311.2901, section 4.2")
def occlusion(score: Score, x: Tensor, options: Options) -> Tensor:
    """The fall of the score when a window is covered with the mean picture, averaged over the windows of a place.

    Windows are a sixth of the picture's side and move by a third of theirs: 5 x 5 and 1 pixel at 32 x 32, 37 x 37
    and 12 pixels at 224 x 224.
    """
    from captum.attr import Occlusion

    del options
    channels, window, step = x.shape[1], window_of(x.shape[2:]), step_of(x.shape[2:])
    found: Tensor = Occlusion(score).attribute(
        x.detach(),
        sliding_window_shapes=(channels, *window),
        strides=(channels, *step),
        baselines=0,
        perturbations_per_eval=max(1, BATCH // len(x)),
    )
    return found[:, :1]  # a window covers all channels of a place, so that they are all alike


def window_of(size: tuple[int, ...]) -> tuple[int, ...]:
    """Rows and columns of the window for a picture of (rows, columns)."""
    return tuple(max(1, round(side / _WINDOWS)) for side in size)


def step_of(size: tuple[int, ...]) -> tuple[int, ...]:
    """How far the window moves, down and right."""
    return tuple(max(1, side // _STEPS) for side in window_of(size))
