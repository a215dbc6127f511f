"""All attribution maps of a picture for one target, with their deletion and insertion scores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from workflow.engines.base import Array
from workflow.errors import FindingError
from workflow.interpretation.attribution import faithfulness
from workflow.interpretation.attribution.maps import Options, known, methods
from workflow.interpretation.attribution.maps.integrated_gradients import incompleteness
from workflow.interpretation.differentiable import Differentiable
from workflow.interpretation.targets import Score, Target, of_class, unit
from workflow.models.model import Model

_STILL = 1e-6  # the largest change by rounding of a probability, or of a share of a unit's value

RANDOM = "random"
"""The baseline that every method must beat: places in random order."""
_RANDOM_MAPS = 10  # whose curves are averaged

Progress = Callable[[int, int], None]
"""Called with (done, all) after each method."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Map:
    """The map of one method for a picture."""

    method: str
    signed: bool
    """Whether negative places are evidence against the target."""
    heat: Array
    """float32 (H, W), any range."""
    deletion_curve: Array
    """float32 (STEPS + 1,): the target's value while the hottest places are removed first."""
    insertion_curve: Array
    """float32 (STEPS + 1,): while they are restored first."""
    deletion: float
    """The area under its curve: the smaller, the better."""
    insertion: float
    """The area under its curve: the greater, the better."""
    incompleteness: float | None = None
    """Integrated gradients alone: what the shares miss of the score's difference, 0..; at most 0.01 is complete."""

    def json(self, target: Target) -> dict[str, Any]:
        """As `wf maps --json` gives it."""
        found = {"method": self.method, "target": target.name, "deletion": self.deletion, "insertion": self.insertion}
        return found if self.incompleteness is None else found | {"incompleteness": self.incompleteness}


@dataclass(frozen=True, kw_only=True, eq=False)
class Explanation:
    """The maps of several methods for a picture."""

    image: Path
    snapshot: str
    target: Target
    value: float
    """The target's value for the whole picture: the class's probability, or the unit's value."""
    pixels: NDArray[np.uint8]
    """(C, h, w): the picture as a record holds it."""
    maps: tuple[Map, ...]
    """In the order that was asked for."""
    baseline: Map
    """Mean curves of random maps."""

    @property
    def best(self) -> Map:
        """The map with the smallest deletion area."""
        return min(self.maps, key=lambda one: np.nan_to_num(one.deletion, nan=np.inf))

    def json(self) -> dict[str, Any]:
        """As `wf maps --json` gives it; the keys of the best map stand at the top, too."""
        return {
            "image": str(self.image),
            "snapshot": self.snapshot,
            **self.best.json(self.target),
            self.target.kind: self.target.name,
            "value": self.value,
            "maps": [one.json(self.target) for one in self.maps],
            "random": self.baseline.json(self.target),
        }


def explain(
    model: Model,
    image: Path,
    *,
    names: Sequence[str] = (),
    class_name: str | None = None,
    unit_name: str | None = None,
    options: Options | None = None,
    progress: Progress | None = None,
) -> Explanation:
    """Map a class's score, or a unit's value, onto a picture.

    Args:
        model: the snapshot.
        image: a picture file.
        names: of methods; all of them if empty.
        class_name: whose score; None is the most probable class.
        unit_name: `conv3:17` or `conv3:17,2,3`, instead of a class.
        options: see `Options`.
        progress: called with (done, all).

    Raises:
        UsageError: an unknown method, class, unit or layer; Grad-CAM where no convolution lies before the target.
        NetError: the net cannot be differentiated there; the layer is named.
        PictureError, DataError: the picture cannot be read.
        FindingError: the target stays the same whatever is covered, so no part of the picture explains it.
    """
    chosen = [known(name) for name in dict.fromkeys(names or methods())]
    net = Differentiable(model)
    pixels = model.read(image)
    x = net.blob([pixels])
    target = unit(net, unit_name) if unit_name is not None else of_class(net, class_name or _predicted(net, x))
    score = Score(net, target)
    watched = faithfulness.watch(net, target, x)
    maps = []
    for number, method in enumerate(chosen, start=1):
        values = method(score, x, options)
        gap = float(incompleteness(score, x, values)[0]) if method.name == "integrated-gradients" else None
        maps.append(_map(method.name, method.signed, method.heat(values), watched, x, incompleteness=gap))
        if progress is not None:
            progress(number, len(chosen) + 1)
    generator = torch.Generator().manual_seed(0)
    chance = _map(RANDOM, False, torch.rand((_RANDOM_MAPS, *x.shape[2:]), generator=generator), watched, x)
    if progress is not None:
        progress(len(chosen) + 1, len(chosen) + 1)
    with torch.no_grad():
        value = float((watched if target.class_name is not None else score)(x)[0])
    _refuse_constant(target, value, (*maps, chance))
    return Explanation(
        image=image,
        snapshot=model.name,
        target=target,
        value=value,
        pixels=pixels,
        maps=tuple(maps),
        baseline=chance,
    )


def _refuse_constant(target: Target, value: float, maps: Sequence[Map]) -> None:
    """Refuse a dead unit, and a net that always gives the same answer: their maps mean nothing."""
    curves = np.concatenate([curve for one in maps for curve in (one.deletion_curve, one.insertion_curve)])
    if np.isfinite(curves).any() and float(np.nanmax(curves) - np.nanmin(curves)) > _STILL:
        return
    if target.class_name is None and value == 0:
        raise FindingError(
            f"{target.title} is 0 for this picture: the unit is not active, so no part of the picture explains it",
            hint=f"wf dream --unit {target.name} shows what activates it, or that it is dead",
        )
    raise FindingError(
        f"{target.title} stays at {value:.4g} whatever is covered: the prediction does not change, so no part of "
        "the picture explains it",
        hint="wf evaluate shows whether all pictures get the same prediction",
    )


def _predicted(net: Differentiable, x: torch.Tensor) -> str:
    with torch.no_grad():
        return net.model.class_name(int(net.run(x, until=(net.scores(),)).blobs[net.scores()].flatten(1).argmax(1)))


def _map(
    name: str,
    signed: bool,
    heat: torch.Tensor,
    watched: faithfulness.Watch,
    x: torch.Tensor,
    *,
    incompleteness: float | None = None,
) -> Map:
    found = [faithfulness.measure(watched, x, one[None]) for one in heat]
    deletion = np.mean([one.deletion[0] for one in found], axis=0)
    insertion = np.mean([one.insertion[0] for one in found], axis=0)
    return Map(
        method=name,
        signed=signed,
        heat=np.asarray(heat[0], np.float32),
        deletion_curve=deletion,
        insertion_curve=insertion,
        deletion=float(np.mean([one.deletion_area[0] for one in found])),
        insertion=float(np.mean([one.insertion_area[0] for one in found])),
        incompleteness=incompleteness,
    )
