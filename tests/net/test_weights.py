from __future__ import annotations

import numpy as np
import pytest

from workflow.errors import ModelError
from workflow.formats import blobproto, caffe_pb2, caffemodel
from workflow.formats.prototxt import read_net
from workflow.net.weights import match, warn_of_unused

RNG = np.random.default_rng(1)
W, B = RNG.normal(size=(4, 3, 5, 2)).astype("f"), RNG.normal(size=4).astype("f")


def weights(*layers, legacy=False):
    net = caffe_pb2.NetParameter()
    for name, *arrays in layers:
        net.layer.add(name=name, blobs=[blobproto.from_array(array, legacy=legacy) for array in arrays])
    return net


def test_by_name_whatever_else_there_is():
    found = match(
        {"conv": [W.shape, B.shape], "relu": [], "ip": [(2, 2)]},
        weights(("data",), ("conv", W, B), ("relu",), ("old", W)),
    )
    assert list(found) == ["conv"]
    np.testing.assert_array_equal(found["conv"][0], W)
    np.testing.assert_array_equal(found["conv"][1], B)


def test_legacy_blobs_have_ones_in_front():
    matrix, vector = RNG.normal(size=(5, 6)).astype("f"), RNG.normal(size=5).astype("f")
    found = match({"ip": [(5, 6), (5,)]}, weights(("ip", matrix, vector), legacy=True))
    np.testing.assert_array_equal(found["ip"][0], matrix)
    np.testing.assert_array_equal(found["ip"][1], vector)


def test_double_data_is_taken():
    blob = caffe_pb2.BlobProto(double_data=[1.5, 2.5])
    blob.shape.dim.append(2)
    net = caffe_pb2.NetParameter()
    net.layer.add(name="scale", blobs=[blob])
    (array,) = match({"scale": [(2,)]}, net)["scale"]
    assert array.dtype == np.float32
    assert array.tolist() == [1.5, 2.5]


def test_of_two_layers_of_one_name_the_last_counts():
    found = match({"conv": [B.shape]}, weights(("conv", B), ("conv", 2 * B)))
    np.testing.assert_array_equal(found["conv"][0], 2 * B)


@pytest.mark.parametrize(
    ("shapes", "words"),
    [
        ([(8, 3, 5, 2), (8,)], "conv: file 4×3×5×2, net 8×3×5×2"),
        ([(4, 3, 5, 2), (8,)], r"conv: file 4, net 8 \(blob 1\)"),
        ([(4, 3, 5, 2)], "conv: file has 2 blobs, net has 1"),
        ([], "conv: file has 2 blobs, net has 0"),
        ([(4, 3, 2, 5), (4,)], "conv: file 4×3×5×2, net 4×3×2×5"),
        ([(4, 3, 5, 2), ()], "file 4, net one number"),
    ],
)
def test_c02_shapes_differ(shapes, words):
    with pytest.raises(ModelError, match=words) as caught:
        match({"conv": shapes}, weights(("conv", W, B)))
    assert caught.value.fault == "C02"
    assert caught.value.exit_code == 3
    assert caught.value.hint.startswith("--ignore-mismatch conv")


def test_c02_a_layer_without_blobs_in_the_file():
    with pytest.raises(ModelError, match="conv: file has 0 blobs, net has 1"):
        match({"conv": [B.shape]}, weights(("conv",)))


def test_c02_lists_all_that_do_not_fit():
    with pytest.raises(ModelError, match="conv1: .*; conv2: .*") as caught:
        match({"conv1": [(1,)], "conv2": [(2,)], "ip": [(4,)]}, weights(("conv1", B), ("conv2", B), ("ip", B)))
    assert "--ignore-mismatch conv1,conv2" in caught.value.hint


def test_c02_new_blobs_must_be_equal():
    """A blob that says `shape` gets no ones in front, unlike a legacy one."""
    with pytest.raises(ModelError, match="file 1×1×1×4, net 4"):
        match({"ip": [(4,)]}, weights(("ip", B.reshape(1, 1, 1, 4))))


def test_ignored_layers_are_left_out():
    found = match({"conv": [(1,)], "ip": [(4,)]}, weights(("conv", B), ("ip", B)), ignore=["conv"])
    assert list(found) == ["ip"]


def test_what_another_layer_owns_may_be_missing():
    layers = {"a": [(4,)], "b": [(4,)]}
    assert list(match(layers, weights(("a", B), ("b",)), shared={("b", 0)})) == ["a"]
    assert list(match(layers, weights(("a", B), ("b", B)), shared={("b", 0)})) == ["a", "b"]


def test_v1_file_with_legacy_blobs_of_real_caffe(shared_data):
    folder = shared_data / "models" / "cifar10_quick_v1_everpeace"
    model = caffemodel.read(folder / "cifar10_quick_iter_5000.caffemodel")
    assert len(read_net(folder / "cifar10_quick.prototxt").layer) > 10
    found = match({"conv1": [(32, 3, 5, 5), (32,)], "ip1": [(64, 1024), (64,)], "ip2": [(10, 64), (10,)]}, model)
    assert list(found) == ["conv1", "ip1", "ip2"]
    assert [array.shape for array in found["ip1"]] == [(64, 1024), (64,)]


def test_weights_without_a_layer_are_told_of_once(caplog):
    file = weights(("data",), ("conv", W, B), ("loss1/fc", B), ("fancy", B))
    warn_of_unused(file, {"conv": 0, "ip": 1})
    assert [record.getMessage() for record in caplog.records] == [
        "the file has weights of layers that the net does not have; they were left: loss1/fc, fancy"
    ]
    caplog.clear()
    warn_of_unused(file, {"conv", "loss1/fc", "fancy"})
    assert not caplog.records


def test_an_hdf5_file_leaves_shared_blobs_to_their_owners():
    """Real Caffe writes b's bias alone, as /data/b/1, where b shares a's weight."""
    empty = np.zeros(0, np.float32)
    layers = {"a": [(4,), (4,)], "b": [(4,), (4,)], "c": [(4,), (4,)]}
    file = weights(("a", B, B), ("b", empty, 2 * B), ("c", 3 * B))
    found = match(layers, file, shared={("b", 0), ("c", 1)})
    assert found["b"][0] is None
    assert found["c"][1] is None
    np.testing.assert_array_equal(found["b"][1], 2 * B)
    with pytest.raises(ModelError, match="b: file 0, net 4; c: file has 1 blobs, net has 2"):
        match(layers, file)
