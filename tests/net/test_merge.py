from __future__ import annotations

import pytest

from workflow.formats import caffe_pb2
from workflow.formats.prototxt import parse
from workflow.net.build import build
from workflow.net.merge import merge

TRAIN = """name: "lenet"
layer { name: "mnist" type: "Data" top: "data" top: "label" data_param { source: "train" batch_size: 64 } }
layer { name: "ip1" type: "InnerProduct" bottom: "data" top: "ip1" param { lr_mult: 1 } param { lr_mult: 2 }
  inner_product_param { num_output: 5 weight_filler { type: "xavier" } bias_filler { type: "constant" } } }
layer { name: "drop" type: "Dropout" bottom: "ip1" top: "ip1" }
layer { name: "ip2" type: "InnerProduct" bottom: "ip1" top: "ip2" inner_product_param { num_output: 3 } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip2" bottom: "label" }
"""
TEST = """name: "lenet-test"
layer { name: "mnist" type: "Data" top: "data" top: "label" data_param { source: "test" batch_size: 100 } }
layer { name: "ip1" type: "InnerProduct" bottom: "data" top: "ip1" inner_product_param { num_output: 5 } }
layer { name: "ip2" type: "InnerProduct" bottom: "ip1" top: "ip2" inner_product_param { num_output: 3 } }
layer { name: "prob" type: "Softmax" bottom: "ip2" top: "prob" }
layer { name: "accuracy" type: "Accuracy" bottom: "prob" bottom: "label" top: "accuracy" }
"""


def net(text):
    return parse(text, caffe_pb2.NetParameter)


def names(spec):
    return [(layer.name, layer.type) for layer in spec.layers if layer.type != "Split"]


def test_each_phase_is_the_net_of_its_own_file():
    one = merge(net(TRAIN), net(TEST))
    for phase, text in (("TRAIN", TRAIN), ("TEST", TEST)):
        assert names(build(one, phase=phase)) == names(build(net(text), phase=phase))
    assert one.name == "lenet"


def test_what_both_have_stands_once_as_the_train_net_has_it():
    one = merge(net(TRAIN), net(TEST))
    assert [layer.name for layer in one.layer] == (["mnist", "mnist", "ip1", "drop", "ip2", "loss", "prob", "accuracy"])
    ip1 = one.layer[2]
    assert not ip1.include
    assert ip1.inner_product_param.weight_filler.type == "xavier"
    assert [param.lr_mult for param in ip1.param] == [1, 2]


@pytest.mark.parametrize("rule", ["include { phase: TRAIN }", "exclude { phase: TEST }"])
def test_rules_in_the_files_are_obeyed_and_taken_away(rule):
    more = f'layer {{ name: "more" type: "Silence" bottom: "data" {rule} }}'
    one = merge(net(TRAIN + more), net(TEST + more))
    assert [layer.include[0].phase for layer in one.layer if layer.name == "more"] == [caffe_pb2.TRAIN]


def test_constant_data_that_differ_are_no_fillers_of_parameters():
    data = 'layer { name: "d" type: "DummyData" top: "d" dummy_data_param { data_filler { value: %d } } }'
    assert len(merge(net(data % 1), net(data % 2)).layer) == 2
    assert len(merge(net(data % 1), net(data % 1)).layer) == 1


def test_what_only_says_the_default_makes_no_difference():
    pool = 'layer { name: "p" type: "Pooling" bottom: "d" top: "p" pooling_param { %s kernel_size: 2 } }'
    assert len(merge(net(pool % "pool: MAX stride: 1"), net(pool % "")).layer) == 1
    assert len(merge(net(pool % "pool: AVE"), net(pool % "")).layer) == 2
    norm = 'layer { name: "n" type: "BatchNorm" bottom: "d" top: "n" batch_norm_param { %s } }'
    assert len(merge(net(norm % "use_global_stats: false"), net(norm % "")).layer) == 2
