"""`wf twin`: compare a false positive with the most similar true positive and with the class's mean."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workflow.engines.base import Array
from workflow.errors import NetError
from workflow.exams.nearest import Neighbour, origins, training_set
from workflow.generations import Generation
from workflow.interpretation.activations import grid
from workflow.interpretation.activations.inspect import DEFAULTS, wanted
from workflow.interpretation.attribution.channel_ablation import Carrying, carrying
from workflow.interpretation.attribution.counterfactuals import Counterfactual, counterfactuals
from workflow.interpretation.attribution.explain import Explanation, explain
from workflow.interpretation.differentiable import Differentiable
from workflow.interpretation.examples.class_distance import Classmates, Progress, Stage, gather, joins_at
from workflow.interpretation.targets import Target, of_class
from workflow.models.linear_tail import feature_blob
from workflow.models.model import Model
from workflow.storage import sha256

COVERED = 8
"""Of the 32 steps: the deletion check is reported for a quarter of the picture."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Side:
    """One column of the sheet."""

    pixels: NDArray[np.uint8]
    """(C, H, W), as a record holds it."""
    maps: dict[str, Array]
    """Blob -> float32 (channels, h, w), those that `wf inspect` shows."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Twin:
    """Why a picture is put in its class."""

    image: Path
    snapshot: str
    target: Target
    probability: float
    """Probability of the class, for the picture."""
    nearest: Neighbour
    nearest_probability: float
    picture: Side
    twin: Side
    mean: Side
    """Mean of the class's true positives."""
    counts: tuple[int, int]
    """Pictures of the class, and of the others, that the distances are to."""
    stages: tuple[Stage, ...]
    joins_at: str | None
    """The first blob from which on the picture is among the class, see `classmates`."""
    carrying: Carrying
    occlusion: Explanation
    counterfactuals: tuple[Counterfactual, ...]
    """The picture after simple changes, the one with the lowest probability of the class first."""

    @property
    def covered(self) -> tuple[float, float]:
        """The probability when the hottest quarter of the occlusion map is covered, and when a random one is."""
        (one,) = self.occlusion.maps
        return float(one.deletion_curve[COVERED]), float(self.occlusion.baseline.deletion_curve[COVERED])

    def json(self) -> dict[str, Any]:
        """As `wf twin --json` gives it; `deletion` is the area under the deletion curve of the occlusion map."""
        found, chance = self.covered
        return {
            "image": str(self.image),
            "snapshot": self.snapshot,
            "class": self.target.name,
            "probability": self.probability,
            "counterfactuals": [one.json() for one in self.counterfactuals],
            "nearest": self.nearest.json() | {"probability": self.nearest_probability},
            "joins_at": self.joins_at,
            "stages": [asdict(stage) | {"among": stage.among} for stage in self.stages],
            "carried_by": {
                "blob": self.carrying.blob,
                "enough": self.carrying.enough,
                "channels": [{"channel": one.number, "fall": one.fall} for one in self.carrying.channels],
            },
            "deletion": self.occlusion.maps[0].deletion,
            "deletion_random": self.occlusion.baseline.deletion,
            "covered": {"share": 0.25, "probability": found, "random": chance},
        }


def twin(
    model: Model,
    image: Path,
    *,
    class_name: str | None = None,
    blob: str | None = None,
    generations: Iterable[Generation] = (),
    progress: Progress | None = None,
) -> Twin:
    """Compare a picture with its predicted class.

    Args:
        model: a snapshot of a generation; its training pictures are the class.
        image: a picture file.
        class_name: None is the predicted class.
        blob: whose channels are tried; None is where the picture joins the class, the last blob before the first
            InnerProduct if that is the input or the scores, or if it never does.
        generations: where training pictures may have come from, the oldest first.
        progress: called with (done, all) of the training pictures.

    Raises:
        UsageError: the model belongs to no generation; no such class or blob.
        NetError: the net does not end in a Softmax layer over classes.
        DataError: the picture cannot be read; no training picture of the class has that label.
    """
    exam = training_set(model)
    net = Differentiable(model)
    if model.output is None:
        raise NetError(f"{model.source} has no Softmax layer, so there are no classes", at=model.source)
    pixels, digest = model.read(image), sha256(image)
    x = net.blob([pixels])
    target = of_class(net, class_name or model.class_name(int(_probabilities(net, x)[0].argmax())))
    features = feature_blob(model.net, model.output)
    mates = gather(net, x, target, exam, blob=features, without=digest, progress=progress)
    near, its_pixels = mates.nearest, np.asarray(mates.nearest.pixels, np.uint8)
    stages = mates.stages()
    joined = joins_at(stages)
    place = blob or (joined if joined not in (None, model.input, target.blob) else features)
    return Twin(
        image=image,
        snapshot=model.name,
        target=target,
        probability=float(_probabilities(net, x)[0, target.channel]),
        nearest=Neighbour(
            path=near.picture.path,
            sha256=near.picture.sha256,
            label=near.picture.truth,
            distance=near.distance,
            record=near.record,
            generation=origins(generations, {near.picture.sha256}).get(near.picture.sha256),
        ),
        nearest_probability=float(_probabilities(net, net.blob([its_pixels]))[0, target.channel]),
        picture=_side(net, pixels),
        twin=_side(net, its_pixels),
        mean=_mean(mates),
        counts=(len(mates.members), len(mates.others)),
        stages=stages,
        joins_at=joined,
        carrying=carrying(net, x, target, net.known(place), mates.others.mean(place)),
        occlusion=explain(model, image, names=["occlusion"], class_name=target.name),
        counterfactuals=counterfactuals(net, pixels, target.channel),
    )


def _probabilities(net: Differentiable, x: Tensor) -> Tensor:
    with torch.no_grad():
        shares: Tensor = net(x)
    return shares.flatten(1)


def _side(net: Differentiable, pixels: NDArray[np.uint8]) -> Side:
    with torch.no_grad():
        values = {name: np.asarray(tensor) for name, tensor in net.run(net.blob([pixels])).blobs.items()}
    values = {name: values[name] for name in net.names}
    return Side(
        pixels=pixels, maps={name: grid.channels(values[name], DEFAULTS.get(name)) for name in wanted(values, None)}
    )


def _mean(mates: Classmates) -> Side:
    means = {name: np.asarray(mates.members.mean(name))[None] for name in mates.own}
    return Side(
        pixels=mates.members.mean_picture(),
        maps={name: grid.channels(means[name], DEFAULTS.get(name)) for name in wanted(means, None)},
    )
