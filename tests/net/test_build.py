from __future__ import annotations

import pytest
from google.protobuf import text_format

from workflow.errors import NetError
from workflow.formats import caffe_pb2
from workflow.net.build import build


def net(text):
    return text_format.Parse(text, caffe_pb2.NetParameter())


def layers(text, phase="TEST", **state):
    return [layer.name for layer in build(net(text), phase=phase, **state).layers]


RULES = """
layer { name: "always" type: "Input" top: "x" }
layer { name: "train" type: "ReLU" bottom: "x" top: "a" include { phase: TRAIN } }
layer { name: "not_train" type: "ReLU" bottom: "x" top: "a" exclude { phase: TRAIN } }
layer { name: "empty" type: "ReLU" bottom: "x" top: "b" include { } }
layer { name: "either" type: "ReLU" bottom: "x" top: "c" include { phase: TRAIN } include { stage: "deploy" } }
layer { name: "deep" type: "ReLU" bottom: "x" top: "d" include { min_level: 2 max_level: 3 } }
layer { name: "stages" type: "ReLU" bottom: "x" top: "e" include { stage: "p" stage: "q" not_stage: "r" } }
"""


@pytest.mark.parametrize(
    ("phase", "state", "expected"),
    [
        ("TRAIN", {}, "always train empty either"),
        ("TEST", {}, "always not_train empty"),
        ("TEST", {"stages": ("deploy",)}, "always not_train empty either"),
        ("TEST", {"level": 2}, "always not_train empty deep"),
        ("TEST", {"level": 4}, "always not_train empty"),
        ("TEST", {"stages": ("p", "q")}, "always not_train empty stages"),
        ("TEST", {"stages": ("p", "q", "r")}, "always not_train empty"),
    ],
)
def test_rules(phase, state, expected):
    names = [name for name in layers(RULES, phase, **state) if not name.endswith("_split")]
    assert names == expected.split()


def test_both_kinds_of_rules_are_refused():
    with pytest.raises(NetError, match="both include and exclude"):
        layers('layer { name: "l" type: "Input" top: "x" include { } exclude { } }')


def test_splits_have_caffes_names():
    built = build(
        net("""
        layer { name: "data" type: "Input" top: "data" top: "label" }
        layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip" }
        layer { name: "relu" type: "ReLU" bottom: "ip" top: "ip" }
        layer { name: "accuracy" type: "Accuracy" bottom: "ip" bottom: "label" top: "accuracy" }
        layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }
        """),
        phase="TEST",
    )
    assert [layer.name for layer in built.layers] == [
        "data", "label_data_1_split", "ip", "relu", "ip_relu_0_split", "accuracy", "loss",
    ]  # fmt: skip
    assert built.layer("loss").bottoms == ("ip_relu_0_split_1", "label_data_1_split_1")
    assert built.outputs == ("accuracy", "loss")
    assert built.inputs == ("data", "label")


def test_a_loss_weight_counts_as_a_reader():
    built = build(
        net("""
        layer { name: "data" type: "Input" top: "x" }
        layer { name: "pow" type: "ReLU" bottom: "x" top: "y" loss_weight: 2 }
        layer { name: "next" type: "ReLU" bottom: "y" top: "z" }
        """),
        phase="TEST",
    )
    assert built.layer("y_pow_0_split").loss_weights == (2.0, 0.0)
    assert built.layer("pow").loss_weights == (0.0,)
    assert built.layer("next").bottoms == ("y_pow_0_split_1",)
    assert built.outputs == ("y_pow_0_split_0", "z")


def test_losses_weigh_one_and_may_be_anonymous():
    built = build(
        net("""
        layer { name: "data" type: "Input" top: "x" top: "label" }
        layer { name: "loss" type: "SoftmaxWithLoss" bottom: "x" bottom: "label" }
        """),
        phase="TRAIN",
    )
    assert built.layer("loss").loss_weights == (1.0,)
    assert built.outputs == ()
    assert list(built.layer("loss").message.loss_weight) == [1.0]


def test_x05_a_bottom_that_nothing_makes():
    with pytest.raises(NetError, match="layer 'ip2' reads 'ip1x', which no earlier layer makes") as caught:
        layers(
            'layer { name: "i" type: "Input" top: "ip1" } layer { name: "ip2" type: "ReLU" bottom: "ip1x" top: "y" }'
        )
    assert caught.value.hint == "did you mean 'ip1'?"
    assert caught.value.fault == "X05"


def test_x05_a_blob_made_twice():
    with pytest.raises(NetError, match="blob 'x' is made by layer 'a' and again by layer 'b'"):
        layers('layer { name: "a" type: "Input" top: "x" } layer { name: "b" type: "Input" top: "x" }')


def test_x05_in_place_behind_another_reader():
    text = """
    layer { name: "a" type: "Input" top: "x" }
    layer { name: "b" type: "ReLU" bottom: "x" top: "y" }
    layer { name: "c" type: "ReLU" bottom: "x" top: "x" }
    """
    with pytest.raises(NetError, match="'x' is made by layer 'a' and again by layer 'c'"):
        layers(text)


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ("loss_weight: 1 loss_weight: 2", "2 loss_weight entries"),
        ("propagate_down: true propagate_down: true", "2 prop"),
    ],
)
def test_wrong_number_of_entries(extra, words):
    with pytest.raises(NetError, match=words):
        layers(
            'layer { name: "a" type: "Input" top: "x" } '
            f'layer {{ name: "b" type: "ReLU" bottom: "x" top: "y" {extra} }}'
        )


def test_a_net_without_layers_for_the_phase():
    with pytest.raises(NetError, match="no layer for phase TEST"):
        layers('layer { name: "a" type: "Input" top: "x" include { phase: TRAIN } }')


def test_the_given_net_is_not_changed():
    message = net(RULES)
    before = message.SerializeToString()
    build(message, phase="TEST")
    assert message.SerializeToString() == before


def test_where_a_missing_blob_is_made_is_said():
    text = """layer { name: "d" type: "Data" top: "data" include { phase: TRAIN } }
    layer { name: "v" type: "Data" top: "data" include { phase: TEST stage: "val" } }
    layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip" }"""
    with pytest.raises(NetError, match="reads 'data', which no earlier layer makes") as caught:
        build(net(text), phase="TEST")
    said = "layer 'd' makes it in phase TRAIN; layer 'v' makes it in phase TEST and in stage 'val'"
    assert caught.value.hint == said
    with pytest.raises(NetError, match="has no layer for phase TEST") as caught:
        build(net(text.splitlines()[0]), phase="TEST")
    assert caught.value.hint == "layer 'd' exists in phase TRAIN"
