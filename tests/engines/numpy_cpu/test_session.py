from __future__ import annotations

import numpy as np
import pytest

from workflow.engines.numpy_cpu.session import Session
from workflow.errors import NetError
from workflow.formats import caffe_pb2
from workflow.net.build import build

INPUT = 'layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 2 dim: 3 dim: 4 dim: 5 } } }'


def test_a_layer_in_place_shows_under_every_name_of_the_memory(a_net, x):
    """As in Caffe, where Flatten hands on its bottom's memory: the ReLU behind it changes `twice` too."""
    net = a_net(
        INPUT
        + """layer { name: "twice" type: "Power" bottom: "data" top: "twice" power_param { scale: 2 } }
        layer { name: "flat" type: "Flatten" bottom: "twice" top: "flat" }
        layer { name: "relu" type: "ReLU" bottom: "flat" top: "flat" }"""
    )
    blobs = net.forward(data=x)
    np.testing.assert_array_equal(blobs["twice"], np.maximum(2 * x, 0))
    np.testing.assert_array_equal(blobs["flat"], np.maximum(2 * x, 0).reshape(2, -1))
    np.testing.assert_array_equal(blobs["data"], x)


def test_the_callers_array_stays_as_it_is(a_net, x):
    net = a_net(INPUT + 'layer { name: "relu" type: "ReLU" bottom: "data" top: "data" }')
    kept = x.copy()
    assert net.forward(data=x)["data"].min() == 0
    np.testing.assert_array_equal(x, kept)


def test_blobs_are_copies(a_net, x):
    net = a_net(INPUT + 'layer { name: "flat" type: "Flatten" bottom: "data" top: "flat" }')
    blobs = net.forward(data=x)
    blobs["flat"][:] = 0
    np.testing.assert_array_equal(blobs["data"], x)
    assert all(blob.flags.owndata and blob.flags.c_contiguous for blob in blobs.values())


def test_splits_are_blobs_too(a_net, x):
    net = a_net(
        INPUT
        + """layer { name: "a" type: "TanH" bottom: "data" top: "a" }
        layer { name: "b" type: "ReLU" bottom: "a" top: "b" }
        layer { name: "c" type: "Eltwise" bottom: "a" bottom: "b" top: "c" }"""
    )
    blobs = net.forward(data=x)
    assert list(blobs) == ["data", "a", "a_a_0_split_0", "a_a_0_split_1", "b", "c"]
    np.testing.assert_allclose(blobs["c"], np.tanh(x) + np.maximum(np.tanh(x), 0), rtol=1e-6)


def test_several_inputs(a_net, x, rng):
    net = a_net(
        """layer { name: "in" type: "Input" top: "scores" top: "label"
             input_param { shape { dim: 4 dim: 3 } shape { dim: 4 } } }
           layer { name: "loss" type: "SoftmaxWithLoss" bottom: "scores" bottom: "label" }
           layer { name: "accuracy" type: "Accuracy" bottom: "scores" bottom: "label" top: "accuracy" }"""
    )
    assert net.inputs == ("scores", "label")
    assert net.outputs == ("accuracy",)
    scores, label = rng.normal(size=(6, 3)).astype("f"), np.zeros(6, "f")
    blobs = net.forward(label=label, scores=scores)
    assert list(blobs)[:2] == ["scores", "label"]
    assert "(automatic)" not in blobs
    assert blobs["accuracy"] == np.float32((scores.argmax(axis=1) == 0).mean())


def test_other_batches_and_other_sizes(a_net, rng):
    net = a_net(
        INPUT
        + """layer { name: "pool" type: "Pooling" bottom: "data" top: "pool"
                      pooling_param { pool: AVE global_pooling: true } }"""
    )
    for shape in ((1, 3, 4, 5), (7, 3, 4, 5), (2, 3, 9, 6), (2, 3, 4, 5)):
        data = rng.normal(size=shape)  # float64: taken as float32
        pool = net.forward(data=data)["pool"]
        assert pool.dtype == np.float32
        np.testing.assert_allclose(pool, data.mean(axis=(2, 3), keepdims=True), rtol=1e-4, atol=1e-6)


def test_a_size_that_no_longer_fits_the_parameters(a_net, rng):
    net = a_net(
        INPUT
        + """layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip"
        inner_product_param { num_output: 2 bias_term: false }
        blobs { shape { dim: 2 dim: 60 } """
        + "data: 1 " * 120
        + "} }"
    )
    with pytest.raises(NetError, match=r"layer 'ip' .*bottom of shape \(2, 3, 4, 6\).*\(2, 72\).*\(2, 60\)"):
        net.forward(data=rng.normal(size=(2, 3, 4, 6)))
    assert net.forward(data=np.ones((3, 3, 4, 5)))["ip"].shape == (3, 2)


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"dat": np.zeros((2, 3, 4, 5))}, "no input 'dat'.*did you mean 'data'"),
        ({}, "was not given its input 'data'"),
        ({"data": np.zeros((3, 4, 5))}, r"input 'data' of shape \(3, 4, 5\), expected 4 axes as in \(2, 3, 4, 5\)"),
        ({"data": np.zeros((0, 3, 4, 5))}, r"input 'data' of shape \(0, 3, 4, 5\)"),
    ],
)
def test_inputs_that_do_not_fit(a_net, inputs, words):
    net = a_net(INPUT + 'layer { name: "relu" type: "ReLU" bottom: "data" top: "y" }')
    with pytest.raises(NetError, match=f"(?s){words}"):
        net.forward(**inputs)


def test_x04_a_type_that_is_not_known(a_net):
    with pytest.raises(NetError, match="type 'Relu' is not known to the numpy engine; known: Accuracy, ") as caught:
        a_net(INPUT + 'layer { name: "r" type: "Relu" bottom: "data" top: "y" }')
    assert caught.value.fault == "X04"
    assert "did you mean 'ReLU'?" in caught.value.hint


def test_numbers_of_bottoms_and_tops(a_net):
    with pytest.raises(NetError, match=r"layer 'e' \(Eltwise\): 1 bottoms, expected at least 2"):
        a_net(INPUT + 'layer { name: "e" type: "Eltwise" bottom: "data" top: "y" }')
    with pytest.raises(NetError, match=r"layer 'p' \(Pooling\): 3 tops, expected 1 to 2"):
        a_net(INPUT + 'layer { name: "p" type: "Pooling" bottom: "data" top: "a" top: "b" top: "c" }')
    with pytest.raises(NetError, match=r"layer 'r' \(ReLU\): 2 tops, expected 1"):
        a_net(INPUT + 'layer { name: "r" type: "ReLU" bottom: "data" top: "a" top: "b" }')


def test_x07_more_memory_than_there_is(a_net):
    with pytest.raises(NetError, match="net needs about") as caught:
        a_net(
            INPUT
            + """layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip"
                          inner_product_param { num_output: 2000000000 } }"""
        )
    assert caught.value.fault == "X07"


def test_errors_name_the_file(tmp_path):
    net = caffe_pb2.NetParameter()
    net.layer.add(name="data", type="Input", top=["data"])
    net.layer.add(name="odd", type="Odd", bottom=["data"], top=["y"])
    with pytest.raises(NetError) as caught:
        Session(build(net, phase="TEST", source=tmp_path / "odd.prototxt"), None)
    assert str(tmp_path / "odd.prototxt") in str(caught.value)
