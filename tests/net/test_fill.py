from __future__ import annotations

import pytest
from google.protobuf import text_format
from hypothesis import given
from hypothesis import strategies as st

from workflow.errors import NetError
from workflow.formats import caffe_pb2
from workflow.net import fill

NET = """
name: "n"
layer { name: "data" type: "Data" top: "data" top: "label" include { phase: TRAIN }
  transform_param { mean_file: "?" mirror: true } data_param { source: "?" batch_size: 64 } }
layer { name: "data" type: "Data" top: "data" top: "label" include { phase: TEST }
  transform_param { mean_file: "?" } data_param { source: "?" batch_size: 100 backend: LMDB } }
layer { name: "ip1" type: "InnerProduct" bottom: "data" top: "ip1" inner_product_param { num_output: 64 } }
layer { name: "ip2" type: "InnerProduct" bottom: "ip1" top: "ip2" inner_product_param { num_output: 10 } }
layer { name: "relu" type: "ReLU" bottom: "ip2" top: "ip2" }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip2" bottom: "label" top: "loss" }
"""
FACTS = fill.Filling(
    train_source="g/train", test_source="g/test", mean="g/mean", classes=3, shape=(3, 32, 32), test_count=350
)


def net(text=NET):
    return text_format.Parse(text, caffe_pb2.NetParameter())


def test_fills_in_what_belongs_to_the_generation_and_nothing_else():
    filled, passes = fill.fill_train_test(net(), FACTS)
    expected = (
        NET.replace('source: "?"', 'source: "g/train" backend: LMDB', 1)
        .replace('source: "?" batch_size: 100', f'source: "g/test" batch_size: {passes.batch}', 1)
        .replace('mean_file: "?"', 'mean_file: "g/mean"')
        .replace("num_output: 10", "num_output: 3")
    )
    assert filled == net(expected)
    assert passes.batch * passes.batches == 350


@given(count=st.integers(1, 20000), wished=st.integers(1, 300))
def test_every_test_picture_exactly_once(count, wished):
    passes = fill.test_pass(count, wished)
    assert passes.batch * passes.batches == count
    assert passes.batch <= max(2 * wished, 1000)


def test_a_wished_batch_that_fits_is_kept():
    assert fill.test_pass(10000, 100) == fill.TestPass(batch=100, batches=100)
    assert fill.test_pass(997, 100) == fill.TestPass(batch=997, batches=1)


def test_deploy_gets_the_outputs_and_must_fit_the_pictures():
    text = """name: "d" layer { name: "data" type: "Input" top: "data"
      input_param { shape { dim: 1 dim: 3 dim: 32 dim: 32 } } }
      layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip" inner_product_param { num_output: 9 } }
      layer { name: "prob" type: "Softmax" bottom: "ip" top: "prob" }"""
    assert fill.fill_deploy(net(text), FACTS).layer[1].inner_product_param.num_output == 3
    with pytest.raises(NetError, match="input 'data' is 1×1×32×32, but the pictures are 1×3×32×32") as caught:
        fill.fill_deploy(net(text.replace("dim: 3 ", "dim: 1 ")), FACTS)
    assert caught.value.fault == "M02"


def test_solver_keeps_every_hyper_parameter():
    solver = caffe_pb2.SolverParameter(
        net="x", base_lr=0.1, momentum=0.7, test_interval=5, test_iter=[7], max_iter=9, snapshot_prefix="q"
    )
    filled = fill.fill_solver(solver, net="g/net", prefix="g/s/q", passes=fill.TestPass(batch=50, batches=7))
    solver.net, solver.snapshot_prefix = "g/net", "g/s/q"
    assert filled == solver
    asked = fill.fill_solver(
        solver, net="a", prefix="b", passes=fill.TestPass(batch=1, batches=2), max_iter=3, random_seed=4
    )
    assert (asked.max_iter, asked.random_seed, list(asked.test_iter)) == (3, 4, [2])


def test_no_tests_are_forced_on_a_solver():
    filled = fill.fill_solver(
        caffe_pb2.SolverParameter(), net="a", prefix="b", passes=fill.TestPass(batch=1, batches=2)
    )
    assert not filled.test_iter


def test_nets_that_cannot_be_filled():
    without_test = "\n".join(
        line for line in NET.splitlines() if "phase: TEST" not in line and "batch_size: 100" not in line
    )
    with pytest.raises(NetError, match="no Data layer of its own for phase TEST"):
        fill.fill_train_test(net(without_test), FACTS)
    with pytest.raises(NetError, match="no classifying layer"):
        fill.fill_train_test(net(NET.split('layer { name: "ip1"')[0]), FACTS)
    with pytest.raises(NetError, match="crop_size=40, but the pictures are 3×32×32"):
        fill.fill_train_test(net(NET.replace("mirror: true", "crop_size: 40")), FACTS)
    with pytest.raises(NetError, match="solver gives test_net"):
        fill.fill_solver(
            caffe_pb2.SolverParameter(test_net=["a"]), net="a", prefix="b", passes=fill.TestPass(batch=1, batches=1)
        )
