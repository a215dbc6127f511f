"""`wf dream`: what the net would most like to see, and whether that is more than natural pictures give it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from workflow.engines.base import Array
from workflow.errors import UsageError
from workflow.evaluation.exam import of_generation
from workflow.inspection.model import Model
from workflow.vision.differentiable import Differentiable
from workflow.vision.dream import Dream, Progress, Recipe, dream
from workflow.vision.natural import activations, percentile
from workflow.vision.targets import Target, class_names, of_class, unit

TOP = 99.0
"""Per cent of natural pictures that a maximum should beat."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Maximum:
    """A dream beside the natural pictures."""

    snapshot: str
    dream: Dream
    natural: Array | None
    """float32 (pictures,): the target's value for test pictures; None for a model from elsewhere."""

    @property
    def target(self) -> Target:
        """What was maximised."""
        return self.dream.target

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
                parts.append(f"beyond all {len(self.natural):,} test pictures, whose best is {best:.3g}")
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


def maximise(
    model: Model,
    *,
    classes: Sequence[str] = (),
    units: Sequence[str] = (),
    recipe: Recipe | None = None,
    progress: Progress | None = None,
) -> list[Maximum]:
    """Make the pictures that classes or units would most like to see.

    Args:
        model: the snapshot.
        classes: names; with no class and no unit, all classes.
        units: such as `conv3:17`, all of one blob.
        recipe: see `Recipe`.
        progress: told (done, all).

    Raises:
        UsageError: classes and units at once, units of several blobs, or something that the net does not have.
        NetError: a layer on the way cannot be differentiated; it is named.
    """
    if classes and units:
        raise UsageError("classes and units were both asked for", hint="one of them at a time")
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
