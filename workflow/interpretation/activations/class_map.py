"""The prediction of a fully convolutional net at each place of a picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workflow.engines.base import Array
from workflow.models.deploy import outputs_differ
from workflow.models.model import Model
from workflow.net.build import build


@dataclass(frozen=True, kw_only=True, eq=False)
class ClassMap:
    """The most probable class of each place."""

    blob: str
    """The blob of probabilities or scores, (1, classes, h, w)."""
    best: NDArray[np.intp]
    """(h, w), class numbers."""
    probability: Array
    """(h, w), of that class."""
    shares: dict[str, float]
    """Class -> 0..1, its share of the places; the largest first, no zeros."""

    def json(self) -> dict[str, Any]:
        """As `wf inspect --json` gives it."""
        return {"blob": self.blob, "shape": list(self.best.shape), "shares": self.shares}


def class_map(model: Model, values: Mapping[str, Array]) -> ClassMap | None:
    """The class map of the first picture of a pass; None for a net that gives none.

    It is what the last Softmax gives over axis 1, if that is a map. A net without a Softmax layer, as FCN's, whose one
    output is a map with a channel for each class that has a name, gets its softmax here.

    Raises:
        NetError: X06, there are more or fewer outputs than classes.
    """
    if model.output is None:
        return _of_scores(model, values)
    scores = values[model.output]
    if model.classifies(values) or scores.ndim != 4 or not _over_channels(model):
        return None
    if model.classes is not None and scores.shape[1] != len(model.classes):
        raise outputs_differ(model.output, scores.shape[1], len(model.classes))
    return _map(model, model.output, scores)


def _of_scores(model: Model, values: Mapping[str, Array]) -> ClassMap | None:
    outputs = build(model.net, phase="TEST", source=model.source).outputs
    scores = values[outputs[0]]
    if len(outputs) != 1 or scores.ndim != 4 or scores[0, 0].size < 2 or model.classes is None:
        return None
    if scores.shape[1] != len(model.classes):
        return None
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return _map(model, outputs[0], powers / powers.sum(axis=1, keepdims=True))


def _map(model: Model, blob: str, scores: Array) -> ClassMap:
    best = scores[0].argmax(axis=0)
    numbers, counts = np.unique(best, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return ClassMap(
        blob=blob,
        best=best,
        probability=scores[0].max(axis=0),
        shares={model.class_name(int(numbers[k])): float(counts[k] / best.size) for k in order},
    )


def _over_channels(model: Model) -> bool:
    for layer in reversed(model.net.layer):
        if layer.type == "Softmax" and model.output in layer.top:
            return layer.softmax_param.axis in (1, -3)
    return False
