"""`wf dream`: the input that maximises a target, compared with natural pictures."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from workflow.engines.base import Array
from workflow.errors import FindingError, UsageError
from workflow.exams.exam import of_generation
from workflow.interpretation.differentiable import Differentiable
from workflow.interpretation.synthesis.ascent import Dream, Progress, Recipe, dream
from workflow.interpretation.synthesis.reference_activations import activations, percentile
from workflow.interpretation.targets import Target, class_names, of_class, unit
from workflow.models.model import Model

_log = logging.getLogger("workflow")
_STILL = 1e-6  # share of its size by which rounding may move a constant

TOP = 99.0
"""Per cent of natural pictures that a maximum should beat."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Maximum:
    """A dream compared with natural pictures."""

    snapshot: str
    dream: Dream
    natural: Array | None
    """float32 (pictures,): the target's value for test pictures; None for a model from elsewhere."""

    @property
    def target(self) -> Target:
        """What was maximised."""
        return self.dream.target

    @property
    def dead(self) -> bool:
        """Whether the target is constant: for all test pictures, and for every seed's picture."""
        values = self.dream.others if self.natural is None else np.concatenate([self.natural, self.dream.others])
        return len(values) > 1 and float(np.ptp(values)) <= _STILL * float(np.abs(values).max())

    @property
    def natural_percentile(self) -> float | None:
        """Per cent of the natural values that the picture reaches."""
        return None if self.natural is None else percentile(self.dream.activation, self.natural)

    @property
    def verdict(self) -> str:
        """In words: did it reach what natural pictures reach?"""
        parts = []
        if self.natural is not None and self.natural_percentile is not None:
            best = float(self.natural.max())
            if self.dream.activation > best:
                parts.append(f"more than any of {len(self.natural):,} test pictures (at most {best:.3g})")
            elif self.dream.activation == best:
                parts.append(f"as much as the best of {len(self.natural):,} test pictures")
            elif self.natural_percentile >= TOP:
                parts.append(f"among the top {100 - self.natural_percentile:.1f} % of test pictures")
            else:
                parts.append(f"only as much as {self.natural_percentile:.0f} % of test pictures stay below")
        if self.dream.probability is not None:
            parts.append(f"scored again as an 8-bit picture: probability {self.dream.probability:.4f}")
        return "; ".join(parts)

    def json(self) -> dict[str, Any]:
        """As `wf dream --json` gives it."""
        return {
            "snapshot": self.snapshot,
            self.target.kind: self.target.name,
            "activation": self.dream.activation,
            "natural_percentile": self.natural_percentile,
            "probability": self.dream.probability,
            "seeds": self.dream.others.tolist(),
            "verdict": self.verdict,
        }


def alive(found: Sequence[Maximum]) -> list[Maximum]:
    """The dreams whose target can be excited; a warning names dead ones.

    Raises:
        FindingError: all are dead.
    """
    dead = {one.target.title: one.dream.activation for one in found if one.dead}
    said = [f"{title} is dead: it is {value:.4g} whatever the picture" for title, value in dead.items()]
    if len(dead) == len(found):
        raise FindingError("; ".join(said[:3]), hint="nothing activates it: choose another one")
    for text in said:
        _log.warning("%s", text)
    return [one for one in found if not one.dead]


def maximise(
    model: Model,
    *,
    classes: Sequence[str] = (),
    units: Sequence[str] = (),
    recipe: Recipe | None = None,
    progress: Progress | None = None,
) -> list[Maximum]:
    """Make the pictures that maximise classes or units.

    Args:
        model: the snapshot.
        classes: names; with no class and no unit, all classes.
        units: such as `conv3:17`, all of one blob.
        recipe: see `Recipe`.
        progress: called with (done, all).

    Raises:
        UsageError: classes and units at once, units of several blobs, or something that the net does not have.
        NetError: a layer on the way cannot be differentiated; it is named.
    """
    if classes and units:
        raise UsageError("--class and --unit cannot be used together", hint="use one of them")
    net = Differentiable(model)
    if units:
        targets = [unit(net, text) for text in dict.fromkeys(units)]
    else:
        names = classes or class_names(model, net.shapes[net.scores()][1])
        targets = [of_class(net, name) for name in dict.fromkeys(names)]
    found = dream(net, targets, recipe, progress=progress)
    natural = None
    if model.generation is not None:
        natural = activations(net, targets, of_generation(model.generation, model))
    return [
        Maximum(snapshot=model.name, dream=one, natural=None if natural is None else natural[:, number])
        for number, one in enumerate(found)
    ]
