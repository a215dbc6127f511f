"""The recalls of a test pass."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from workflow.engines.torch_cpu.recalls import Recalls
from workflow.formats import caffe_pb2, prototxt
from workflow.layers import create
from workflow.net.build import build

NET = """
layer { name: "in" type: "Input" top: "scores" top: "label"
  input_param { shape { dim: 4 dim: 3 } shape { dim: 4 } } }
layer { name: "accuracy" type: "Accuracy" bottom: "scores" bottom: "label" top: "accuracy" }
"""


@pytest.fixture
def counted():
    """The recalls for the true and the given class of some items."""
    spec = build(prototxt.parse(NET, caffe_pb2.NetParameter), phase="TEST")
    layers = [create(layer, Path()) for layer in spec.layers]

    def go(truth: list[int], given: list[int]) -> Recalls:
        recalls = Recalls(layers)
        for begin in range(0, len(truth), 4):
            scores = torch.nn.functional.one_hot(torch.tensor(given[begin : begin + 4]), 3).float()
            recalls.see({"scores": scores, "label": torch.tensor(truth[begin : begin + 4]).float()})
        return recalls

    return go


@pytest.mark.parametrize(
    ("truth", "given", "mean", "only"),
    [
        ([0, 1, 1, 1], [1, 1, 1, 1], 0.5, 1),
        ([0, 1, 1, 1, 2, 2, 0, 0], [1] * 8, 1 / 3, 1),
        ([0, 1, 1, 1], [0, 1, 1, 0], 5 / 6, None),
        ([0, 1, 1, 1], [2, 2, 2, 1], 1 / 6, None),
        ([1, 1, 1, 1], [1, 1, 1, 1], 1.0, None),  # one class alone proves nothing
    ],
)
def test_mean_and_only(counted, truth, given, mean, only):
    found = counted(truth, given)
    assert found.mean == pytest.approx(mean)
    assert found.only == only


def test_a_net_without_accuracy_layer():
    recalls = Recalls([])
    recalls.see({})
    assert recalls.mean is None
    assert recalls.only is None
