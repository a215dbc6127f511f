from __future__ import annotations

from pathlib import Path

import pytest

from workflow.errors import NetError
from workflow.formats import caffe_pb2
from workflow.formats.prototxt import parse, read_net
from workflow.net.deployed import deployed
from workflow.net.sources import places, state_with_pictures, where

PROTOTXT = Path(__file__).parents[2] / "prototxt"


def net(text):
    return parse(text, caffe_pb2.NetParameter)


def names(result):
    return [layer.name for layer in result.layer]


@pytest.mark.parametrize("name", ["cifar10_quick", "cifar10_full", "lenet"])
def test_our_own_training_nets_give_our_own_deploy_nets(name):
    """The same types, bottoms, tops and sizes, layer by layer, but for names of Input layers."""
    expected = read_net(PROTOTXT / f"{name}_deploy.prototxt")
    shape = tuple(expected.layer[0].input_param.shape[0].dim[1:])
    found = deployed(read_net(PROTOTXT / f"{name}_train_test.prototxt"), shape, phase="TEST")
    assert [(one.type, *one.bottom, *one.top) for one in found.layer] == [
        (one.type, *one.bottom, *one.top) for one in expected.layer
    ]
    assert tuple(found.layer[0].input_param.shape[0].dim) == (1, *shape)
    assert [one.inner_product_param.num_output for one in found.layer] == [
        one.inner_product_param.num_output for one in expected.layer
    ]


DATA = 'layer { name: "d" type: "Data" top: "data" top: "label" }'
SCORES = 'layer { name: "s" type: "InnerProduct" bottom: "data" top: "s" }'
LOSS = 'layer { name: "loss" type: "SoftmaxWithLoss" bottom: "s" bottom: "label" top: "loss" }'


def test_auxiliary_losses_go_with_the_layers_that_only_they_need():
    """GoogLeNet has two beside the main one, of weight 0.3."""
    text = f"""{DATA} layer {{ name: "a" type: "Convolution" bottom: "data" top: "a" }}
    layer {{ name: "r" type: "ReLU" bottom: "a" top: "a" }}
    layer {{ name: "aux" type: "InnerProduct" bottom: "a" top: "aux" }}
    layer {{ name: "aux_loss" type: "SoftmaxWithLoss" bottom: "aux" bottom: "label" top: "x" loss_weight: 0.3 }}
    layer {{ name: "main" type: "InnerProduct" bottom: "a" top: "main" }}
    layer {{ name: "loss" type: "SoftmaxWithLoss" bottom: "main" bottom: "label" loss_weight: 1
      softmax_param {{ axis: 1 }} }}
    layer {{ name: "top5" type: "Accuracy" bottom: "main" bottom: "label" top: "top5" }}"""
    found = deployed(net(text), (3, 8, 8), phase="TEST")
    assert names(found) == ["d", "a", "r", "main", "prob"]
    assert found.layer[-1].softmax_param.axis == 1


def test_two_tasks_keep_both_heads():
    text = f"""{DATA} {SCORES} layer {{ name: "t" type: "InnerProduct" bottom: "data" top: "t" }}
    layer {{ name: "kind" type: "SoftmaxWithLoss" bottom: "s" bottom: "label" }}
    layer {{ name: "colour" type: "SoftmaxWithLoss" bottom: "t" bottom: "label" }}"""
    assert names(deployed(net(text), (3, 8, 8), phase="TEST")) == ["d", "s", "t", "kind_prob", "prob"]


def test_a_net_that_has_its_softmax_already_gets_no_second():
    text = f'{DATA} {SCORES} layer {{ name: "p" type: "Softmax" bottom: "s" top: "p" }} {LOSS}'
    assert names(deployed(net(text), (3, 8, 8), phase="TEST")) == ["d", "s", "p"]


def test_sigmoids_and_nets_without_a_head():
    text = f"{DATA} {SCORES}" + LOSS.replace("SoftmaxWithLoss", "SigmoidCrossEntropyLoss")
    found = deployed(net(text), (3, 8, 8), phase="TEST")
    assert [layer.type for layer in found.layer] == ["Input", "InnerProduct", "Sigmoid"]
    text = f"{DATA} {SCORES}" + LOSS.replace("SoftmaxWithLoss", "EuclideanLoss")
    assert names(deployed(net(text), (3, 8, 8), phase="TEST")) == ["d", "s"]


def test_labels_are_followed_to_their_end():
    """A label that is sliced, and a layer of one's own that reads it."""
    text = f"""{DATA} layer {{ name: "cut" type: "Slice" bottom: "label" top: "l1" top: "l2" }} {SCORES}
    layer {{ name: "own" type: "Python" bottom: "s" bottom: "l1" top: "own" }}
    layer {{ name: "quiet" type: "Silence" bottom: "l2" }}
    {LOSS.replace("label", "l1")}"""
    assert names(deployed(net(text), (3, 8, 8), phase="TEST")) == ["d", "s", "prob"]


def test_rules_and_weights_of_losses_are_dropped_and_names_of_parameters_kept():
    text = DATA + SCORES.replace(
        'top: "s"', 'top: "s" param { name: "w" } include { phase: TEST } loss_weight: 0 propagate_down: true'
    )
    layer = deployed(net(text), (3, 8, 8), phase="TEST").layer[1]
    assert not layer.include
    assert not layer.loss_weight
    assert not layer.propagate_down
    assert layer.param[0].name == "w"


def test_nothing_but_labels():
    with pytest.raises(NetError, match="needs nothing but the picture 'data'"):
        deployed(net(f'name: "n" {DATA}'), (3, 8, 8), phase="TEST")


def test_the_state_in_which_pictures_are_read():
    assert state_with_pictures(net(DATA)) == ("TEST", ())
    assert state_with_pictures(net(DATA.replace(" }", " include { phase: TRAIN } }"))) == ("TRAIN", ())
    staged = net(DATA.replace(" }", ' include { stage: "val" phase: TEST } }'))
    assert state_with_pictures(staged) == ("TEST", ("val",))
    assert state_with_pictures(staged, ["deploy"]) is None
    assert state_with_pictures(net(SCORES)) is None
    assert places(staged) == "layer 'd' (Data) exists in phase TEST and in stage 'val'"
    assert state_with_pictures(net('layer { type: "Python" top: "data" }')) == ("TEST", ())


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ("", "always"),
        ("include { }", "always"),
        ("include { phase: TRAIN } include { phase: TEST }", "in phase TRAIN or in phase TEST"),
        ('exclude { stage: "deploy" }', "not in stage 'deploy'"),
        (
            'include { not_stage: "a" min_level: 2 max_level: 3 }',
            "not in stage 'a' and from level 2 on and up to level 3",
        ),
    ],
)
def test_rules_in_words(rules, words):
    assert where(net(f"layer {{ {rules} }}").layer[0]) == words
