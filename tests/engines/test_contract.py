"""What every engine owes: one contract, three engines, the same numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from google.protobuf import text_format
from small_net import DEPLOY

from workflow import engines
from workflow.engines.torch_cpu import Net
from workflow.errors import ModelError, NetError
from workflow.formats import caffe_pb2, caffemodel, datum, lmdb, prototxt
from workflow.net.build import build

ENGINES = ["torch", "numpy", pytest.param("caffe", marks=pytest.mark.caffe)]
MODELS = {
    "cifar10_quick_v2_simshang": ("cifar10_quick.prototxt", "cifar10_quick_iter_5000.caffemodel"),
    "cifar10_quick_v1_everpeace": ("cifar10_quick.prototxt", "cifar10_quick_iter_5000.caffemodel"),
    "cifar10_quick_h5_dmsh": ("cifar10_quick.prototxt", "cifar10_quick_iter_5000.caffemodel.h5"),
    "cifar10_full_v2_yuvval": ("cifar10_full.prototxt", "cifar10_full_iter_70000.caffemodel"),
    "lenet_v2_ethereon": ("lenet.prototxt", "lenet_iter_10000.caffemodel"),
}


def net(text=DEPLOY):
    return text_format.Parse(text, caffe_pb2.NetParameter())


@pytest.fixture(scope="module")
def weights():
    """Weights of the small net, all of them random."""
    filled = Net(build(net(DEPLOY.replace("pad: 1", 'pad: 1 weight_filler { type: "xavier" }')), phase="TEST"), seed=3)
    message = filled.message()
    rng = np.random.default_rng(3)
    for layer in message.layer:
        for blob in layer.blobs:
            blob.data[:] = rng.normal(size=len(blob.data))
    return message


@pytest.fixture
def pictures():
    return np.random.default_rng(1).normal(size=(2, 3, 7, 7)).astype(np.float32)


@pytest.mark.parametrize("name", ENGINES)
def test_status_says_it_is_ready(name):
    status = engines.get(name).status()
    assert status.ready
    assert status.version
    assert status.trains == (name != "numpy")


@pytest.mark.parametrize("name", ENGINES)
def test_every_blob_in_net_order(name, weights, pictures):
    with engines.get(name).open(net(), weights) as session:
        assert tuple(session.inputs) == ("data",)
        assert tuple(session.outputs) == ("prob",)
        blobs = session.forward(data=pictures)
        assert list(blobs) == ["data", "conv", "pool", "ip", "prob"]
        assert all(blob.dtype == np.float32 and blob.flags.c_contiguous for blob in blobs.values())
        assert blobs["conv"].shape == (2, 6, 7, 7)
        assert blobs["pool"].min() >= 0, "the ReLU in place has changed pool"
        assert blobs["conv"].min() < 0
        np.testing.assert_allclose(blobs["prob"].sum(axis=1), 1, rtol=1e-5)
        assert {layer: [blob.shape for blob in blobs] for layer, blobs in session.params.items()} == {
            "conv": [(6, 3, 3, 3), (6,)],
            "ip": [(3, 54), (3,)],
        }


@pytest.mark.parametrize("name", ENGINES)
def test_blobs_are_copies_and_batches_of_any_size(name, weights, pictures):
    with engines.get(name).open(net(), weights) as session:
        first = session.forward(data=pictures)
        kept = first["prob"].copy()
        one = session.forward(data=3 * pictures[:1])
        np.testing.assert_array_equal(first["prob"], kept)
        assert one["conv"].shape == (1, 6, 7, 7)
        five = session.forward(data=np.tile(pictures[:1], (5, 1, 1, 1)))
        np.testing.assert_allclose(five["prob"], np.tile(kept[:1], (5, 1)), rtol=1e-4)


@pytest.mark.parametrize("name", ENGINES)
def test_wrong_inputs(name, weights, pictures):
    with engines.get(name).open(net(), weights) as session:
        with pytest.raises(NetError, match="picture"):
            session.forward(picture=pictures)
        with pytest.raises(NetError):
            session.forward()
        assert session.forward(data=pictures)["prob"].shape == (2, 3), "and it still works"


@pytest.mark.parametrize("name", ENGINES)
def test_c02_weights_of_another_net(name, weights):
    other = caffe_pb2.NetParameter()
    other.CopyFrom(weights)
    text = DEPLOY.replace("num_output: 6", "num_output: 4")
    with pytest.raises(ModelError) as caught, engines.get(name).open(net(text), other):
        pass
    assert "conv" in caught.value.message


@pytest.mark.parametrize("name", ENGINES)
def test_x05_a_net_that_cannot_be(name, weights):
    text = DEPLOY.replace('bottom: "conv" top: "pool"', 'bottom: "cnv" top: "pool"')
    with pytest.raises(NetError, match="cnv"), engines.get(name).open(net(text), weights):
        pass


@pytest.mark.caffe
@pytest.mark.parametrize("model", MODELS)
def test_all_three_agree_on_every_blob_of_old_models(model, shared_data):
    """Within 1e-5 of each blob's largest value, on nets trained with real Caffe; V1 and HDF5 files among them."""
    folder = shared_data / "models" / model
    deploy = prototxt.read_net(folder / MODELS[model][0])
    trained = caffemodel.read(folder / MODELS[model][1])
    spec = build(deploy, phase="TEST")
    dims = next(shape for layer in spec.layers for shape in layer.message.input_param.shape).dim
    data = np.random.default_rng(5).uniform(-120, 130, size=(2, *dims[1:])).astype(np.float32)
    blobs = {}
    for name in ("caffe", "torch", "numpy"):
        with engines.get(name).open(deploy, trained, source=Path(MODELS[model][0])) as session:
            blobs[name] = session.forward(data=data)
    for name in ("torch", "numpy"):
        assert list(blobs[name]) == list(blobs["caffe"])
        for blob, theirs in blobs["caffe"].items():
            assert np.abs(blobs[name][blob] - theirs).max() <= 1e-5 * np.abs(theirs).max(), (name, blob)


SIZES = """
layer { name: "d" type: "Data" top: "data" data_param { source: "sizes" backend: LMDB batch_size: 1 } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv" convolution_param { num_output: 6 kernel_size: 3 } }
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
layer { name: "pool" type: "Pooling" bottom: "conv" top: "pool" pooling_param { kernel_size: 2 stride: 2 } }
"""


def test_records_of_several_sizes_pass_one_by_one(project, weights):
    """The layout in memory was chosen for the first one's size."""
    rng = np.random.default_rng(5)
    sizes = [(3, 6, 6), (3, 9, 8), (3, 5, 7)]
    with lmdb.Writer(project / "sizes") as writer:
        for index, size in enumerate(sizes):
            writer.put(b"%d" % index, datum.encode(rng.integers(0, 256, size, dtype=np.uint8), index))
    found = {}
    for name in ("torch", "numpy"):
        with engines.get(name).open(net(SIZES), weights) as session:
            found[name] = [session.forward() for _ in sizes]
    assert [one["pool"].shape for one in found["numpy"]] == [(1, 6, 2, 2), (1, 6, 4, 3), (1, 6, 2, 3)]
    for ours, theirs in zip(found["torch"], found["numpy"], strict=True):
        for blob in ("data", "conv", "pool"):
            np.testing.assert_allclose(ours[blob], theirs[blob], rtol=1e-4, atol=1e-2)


@pytest.mark.parametrize("name", ["torch", "numpy"])
def test_a_split_in_place_is_refused(name):
    text = DEPLOY.splitlines()[2] + 'layer { name: "s" type: "Split" bottom: "data" top: "data" }'
    with pytest.raises(NetError, match=r"layer 's' \(Split\): works in place on 'data', which this type cannot"):
        engines.get(name).open(net(text), None)
