"""Outputs of an ONNX model beside the net's own: the calibrated confidence, and how far a picture is from known ones.

wf/calibrated   (N, classes): softmax(logits / temperature), where the snapshot has a temperature
wf/distance     (N,): above 1 the picture is `unknown`, see `exams.novelty`; where the snapshot has such a rule
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workflow.engines.base import Array
from workflow.exams import novelty
from workflow.exams.novelty import Novelty
from workflow.exams.temperature import scaled
from workflow.export.graph import Graph
from workflow.models.linear_tail import logits_blob
from workflow.models.model import Model

CALIBRATED, DISTANCE = "wf/calibrated", "wf/distance"


@dataclass(kw_only=True)
class _Nodes:
    """Adds nodes whose values are called `wf/1`, `wf/2` and so on."""

    graph: Graph
    count: int = 0

    def __call__(self, kind: str, *inputs: str, output: str | None = None, **attributes: Any) -> str:
        from onnx import helper

        self.count += 1
        name = output or f"wf/{self.count}"
        self.graph.nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name

    def constant(self, values: NDArray[Any]) -> str:
        from onnx import numpy_helper

        self.count += 1
        name = f"wf/constant {self.count}"
        self.graph.initializers.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name


def add(graph: Graph, model: Model) -> list[str]:
    """Add the nodes after those of all layers; the names of the new outputs."""
    nodes, added = _Nodes(graph=graph), []
    if model.temperature is not None and model.output is not None:
        logits = nodes("Flatten", graph.values[logits_blob(model.net, model.output)], axis=1)
        cooled = nodes("Div", logits, nodes.constant(np.array(model.temperature, np.float32)))
        added.append(nodes("Softmax", cooled, output=CALIBRATED, axis=1))
    rule = novelty.read(model)
    if rule is not None:
        _distance(nodes, rule)
        added.append(DISTANCE)
    return added


def expected(model: Model, values: dict[str, Array]) -> dict[str, NDArray[np.floating]]:
    """What wf itself makes of the same blobs: output -> its values."""
    found: dict[str, NDArray[np.floating]] = {}
    if model.temperature is not None and model.output is not None:
        found[CALIBRATED] = scaled(values[model.output].reshape(len(values[model.output]), -1), model.temperature)
    rule = novelty.read(model)
    if rule is not None:
        found[DISTANCE] = rule.distance(values)
    return found


def _distance(nodes: _Nodes, rule: Novelty) -> None:
    parts = []
    for name in rule.maps:
        blob = nodes.graph.values[name]
        away = nodes("Sub", blob, nodes("ReduceMean", blob, axes=[2, 3]))
        parts.append(nodes("ReduceMean", blob, axes=[2, 3], keepdims=0))
        parts.append(nodes("Sqrt", nodes("ReduceMean", nodes("Mul", away, away), axes=[2, 3], keepdims=0)))
    numbers = nodes("Abs", nodes("Concat", *parts, axis=1))
    logarithms = nodes("Log", nodes("Add", numbers, nodes.constant(rule.small)))
    logits = nodes("Flatten", nodes.graph.values[rule.logits], axis=1)
    profile = nodes("Sub", nodes("Concat", logarithms, logits, axis=1), nodes.constant(rule.centre))
    whitened = nodes("MatMul", profile, nodes.constant(rule.whitening))
    each = nodes("Unsqueeze", whitened, nodes.constant(np.array([1], np.int64)))
    squares = nodes("ReduceSumSquare", nodes("Sub", each, nodes.constant(rule.means)), axes=[2], keepdims=0)
    nearest = nodes("Sqrt", nodes("ReduceMin", squares, axes=[1], keepdims=0))
    nodes("Div", nearest, nodes.constant(np.array(rule.limit, np.float32)), output=DISTANCE)
