from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from caffe_process import CAFFE_PYTHON, run_caffe

from workflow.engines.bvlc.engine import Engine
from workflow.errors import EnvironmentFault, ModelError, NetError
from workflow.formats import caffe_pb2, caffemodel
from workflow.formats.prototxt import parse, read_net

pytestmark = pytest.mark.caffe

DEPLOY = """
name: "look"
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 2 dim: 3 dim: 7 dim: 5 } } }
layer { name: "conv1" type: "Convolution" bottom: "data" top: "conv1"
  convolution_param { num_output: 6 kernel_h: 3 kernel_w: 2 stride_h: 2 stride_w: 1 pad_h: 1 group: 3
    weight_filler { type: "gaussian" std: 0.1 } bias_filler { type: "constant" value: 0.1 } } }
layer { name: "relu1" type: "ReLU" bottom: "conv1" top: "conv1" }
layer { name: "pool1" type: "Pooling" bottom: "conv1" top: "pool1"
  pooling_param { pool: AVE kernel_size: 3 stride: 2 } }
layer { name: "bnll" type: "BNLL" bottom: "pool1" top: "bnll" }
layer { name: "ip" type: "InnerProduct" bottom: "bnll" top: "ip"
  inner_product_param { num_output: 4 weight_filler { type: "gaussian" std: 0.1 } } }
layer { name: "sum" type: "Reduction" bottom: "ip" top: "sum" }
layer { name: "prob" type: "Softmax" bottom: "ip" top: "prob" }
"""

DIRECTLY = """
net = caffe.Net("net.prototxt", caffe.TEST)
net.copy_from("weights.caffemodel")
net.blobs["data"].reshape(*given["data"].shape)
net.forward(data=given["data"])
for name, blob in net.blobs.items():
    result[name] = blob.data
"""

MAKE = """
caffe.set_random_seed(4)
net = caffe.Net("net.prototxt", caffe.TEST)
net.save("weights.caffemodel")
"""


def pictures(count, height=7, width=5):
    return np.random.default_rng(5).normal(size=(count, 3, height, width)).astype(np.float32)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A net's file and weights that real Caffe made for it."""
    folder = tmp_path_factory.mktemp("look")
    (folder / "net.prototxt").write_text(DEPLOY)
    run_caffe(CAFFE_PYTHON, MAKE, folder)
    return folder


@pytest.fixture(scope="module")
def opened(files):
    net, weights = read_net(files / "net.prototxt"), caffemodel.read(files / "weights.caffemodel")
    with Engine().open(net, weights, source=files / "net.prototxt") as session:
        yield session


@pytest.mark.parametrize("count", [2, 3])  # as in the prototxt, and another batch
def test_the_same_numbers_as_pycaffe(opened, files, count):
    data = pictures(count)
    blobs = opened.forward(data=data)
    expected = run_caffe(CAFFE_PYTHON, DIRECTLY, files, data=data)
    assert list(blobs) == list(expected)
    for name, blob in blobs.items():
        assert blob.dtype == np.float32
        assert blob.flags.c_contiguous
        np.testing.assert_array_equal(blob, expected[name])
    assert blobs["sum"].shape == ()
    assert (blobs["conv1"] >= 0).all()  # what ReLU left there


def test_inputs_outputs_and_order(opened):
    assert opened.inputs == ("data",)
    assert opened.outputs == ("prob", "sum")
    blobs = opened.forward(data=pictures(2))
    assert list(blobs) == ["data", "conv1", "pool1", "bnll", "ip", "ip_ip_0_split_0", "ip_ip_0_split_1", "sum", "prob"]


def test_params_are_the_files(opened, files):
    weights = {layer.name: caffemodel.arrays(layer) for layer in caffemodel.read(files / "weights.caffemodel").layer}
    assert list(opened.params) == ["conv1", "ip"]
    for name, arrays in opened.params.items():
        for array, stored in zip(arrays, weights[name], strict=True):
            np.testing.assert_array_equal(array, stored)


def test_results_are_copies(opened):
    data = pictures(2)
    first = opened.forward(data=data)
    kept = first["prob"].copy()
    first["prob"][:] = 7
    opened.forward(data=data * 2)
    np.testing.assert_array_equal(opened.forward(data=data)["prob"], kept)


def test_wrong_inputs_leave_the_session_usable(opened):
    with pytest.raises(NetError, match="net 'look' has no input 'dato'") as caught:
        opened.forward(dato=pictures(2))
    assert caught.value.hint == "did you mean 'data'?"
    with pytest.raises(NetError, match="was not given its input 'data'"):
        opened.forward()
    with pytest.raises(NetError, match=r"of shape \(3, 7, 5\), expected 4 axes as in \(2, 3, 7, 5\)"):
        opened.forward(data=pictures(2)[0])
    assert opened.forward(data=pictures(2))["prob"].shape == (2, 4)


def test_a_shape_that_a_layer_refuses(files):
    with Engine().open(read_net(files / "net.prototxt"), None) as session:
        with pytest.raises(
            NetError, match="real Caffe reports: .*Input size incompatible with inner product parameters"
        ):
            session.forward(data=pictures(2, height=20))
        with pytest.raises(EnvironmentFault, match="ended already"):
            session.forward(data=pictures(2))


def test_a_layer_that_caffe_does_not_know(project):
    net = parse(DEPLOY.replace("BNLL", "Frobnicate"), caffe_pb2.NetParameter)
    with pytest.raises(NetError, match="real Caffe reports: registry.*Unknown layer type: Frobnicate") as caught:
        Engine().open(net, None, source=Path("a.prototxt"))
    assert str(caught.value.at) == "a.prototxt"


def test_a_division_by_zero_in_caffe(project):
    net = parse(DEPLOY.replace("stride_w: 1", ""), caffe_pb2.NetParameter)
    with pytest.raises(NetError, match=r"layer 'conv1': caffe's process was killed by SIGFPE, a division by zero"):
        Engine().open(net, None)


def test_a_field_that_this_caffe_does_not_have(project):
    text = DEPLOY.replace('type: "BNLL" bottom', 'type: "BNLL" clip_param { min: 0 max: 1 } bottom')
    with pytest.raises(NetError, match='has no field named "clip_param"'):
        Engine().open(parse(text, caffe_pb2.NetParameter), None)


def test_weights_that_do_not_fit(files):
    net = parse(DEPLOY.replace("num_output: 4", "num_output: 9"), caffe_pb2.NetParameter)
    weights = caffemodel.read(files / "weights.caffemodel")
    with pytest.raises(ModelError, match=r"layer 'ip'; shape mismatch.* 4 24 \(96\).* 9 24 \(216\)"):
        Engine().open(net, weights)
    with Engine().open(net, weights, ignore=["ip"]) as session:
        assert session.params["ip"][0].shape == (9, 24)
        stored = {layer.name: caffemodel.arrays(layer) for layer in weights.layer}
        np.testing.assert_array_equal(session.params["conv1"][0], stored["conv1"][0])


def test_a_net_that_reads_a_database(make_job, monkeypatch):
    job = make_job()
    monkeypatch.chdir(job.folder)
    with Engine().open(read_net(Path("net.prototxt")), None) as session:
        assert session.inputs == ()
        blobs = session.forward()
        assert blobs["data"].shape == (3, 3, 7, 5)  # TEST phase's batch
        np.testing.assert_array_equal(blobs["label"], [0, 1, 2])
        with pytest.raises(NetError, match="has no input 'data'") as caught:
            session.forward(data=pictures(2))
        assert caught.value.hint == "the net reads from a database"
