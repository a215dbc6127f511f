"""A training loss whose classes weigh the same."""

from __future__ import annotations

import numpy as np
import pytest
from google.protobuf import text_format

from workflow.errors import NetError
from workflow.formats import caffe_pb2
from workflow.net.balance import balanced, matrix

NET = """
layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip" }
layer { name: "accuracy" type: "Accuracy" bottom: "ip" bottom: "label" top: "accuracy" include { phase: TEST } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" loss_weight: 2 }
"""


def net(text: str = NET) -> caffe_pb2.NetParameter:
    return text_format.Parse(text, caffe_pb2.NetParameter())


def test_all_classes_weigh_the_same_and_a_picture_weighs_one_on_average():
    counts = np.array([300, 100, 20])
    weights = np.diag(matrix(counts))
    np.testing.assert_allclose(weights * counts, 140, rtol=1e-6)
    np.testing.assert_allclose((weights * counts).sum() / counts.sum(), 1, rtol=1e-6)
    assert np.count_nonzero(matrix(counts)) == 3
    np.testing.assert_allclose(np.diag(matrix([5, 0, 15])), [2, 0, 2 / 3], rtol=1e-6)


def test_training_is_weighted_and_testing_is_not():
    made = balanced(net(), "here/balance.binaryproto")
    assert [layer.type for layer in made.layer] == ["InnerProduct", "Accuracy", "InfogainLoss", "SoftmaxWithLoss"]
    weighted, plain = made.layer[2:]
    assert weighted.infogain_loss_param.source == "here/balance.binaryproto"
    assert [rule.phase for rule in weighted.include] == [caffe_pb2.TRAIN]
    assert [rule.phase for rule in plain.include] == [caffe_pb2.TEST]
    assert (weighted.name, list(weighted.bottom), list(weighted.top)) == ("loss", ["ip", "label"], ["loss"])
    assert list(weighted.loss_weight) == list(plain.loss_weight) == [2]
    assert net() == text_format.Parse(NET, caffe_pb2.NetParameter())  # a copy was changed


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (NET.replace("SoftmaxWithLoss", "HingeLoss"), "has 0 SoftmaxWithLoss layers"),
        (NET + NET.splitlines()[3].replace('"loss"', '"other"'), "has 2 SoftmaxWithLoss layers"),
        (NET.replace("loss_weight: 2", "loss_param { normalize: false }"), "layer 'loss' has loss_param.normalize"),
    ],
)
def test_what_cannot_be_weighted_is_refused(text: str, words: str):
    with pytest.raises(NetError, match=words):
        balanced(net(text), "x")
