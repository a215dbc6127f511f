from __future__ import annotations

import pickle

import h5py
import numpy as np
import pytest

from workflow.errors import ModelError
from workflow.formats import caffe_pb2, solverstate
from workflow.formats.blobproto import from_array, shape_of
from workflow.formats.caffemodel import arrays, nonfinite, read, write, write_hdf5


def test_round_trip(tmp_path, model):
    write(tmp_path / "m.caffemodel", model)
    assert read(tmp_path / "m.caffemodel") == model
    assert [array.shape for array in arrays(model.layer[1])] == [(4, 3, 3, 2), (4,)]


def test_hdf5_is_recognised_by_its_first_bytes_not_by_its_name(tmp_path, model):
    write_hdf5(tmp_path / "m.caffemodel", model)
    got = read(tmp_path / "m.caffemodel")
    assert {layer.name for layer in got.layer} == {"data", "conv", "ip"}
    (conv,) = [layer for layer in got.layer if layer.name == "conv"]
    assert list(conv.blobs) == list(model.layer[1].blobs)


def test_writing_replaces_as_a_whole(tmp_path, model):
    path = tmp_path / "m.caffemodel"
    path.write_bytes(b"old")
    with pytest.raises(ModelError, match="no layer"):
        write(path, caffe_pb2.NetParameter())
    assert path.read_bytes() == b"old"
    write(path, model)
    assert [name.name for name in tmp_path.iterdir()] == ["m.caffemodel"]


def test_c01_zero_bytes(text_file):
    with pytest.raises(ModelError, match=r"iter_6000.caffemodel is empty") as caught:
        read(text_file("iter_6000.caffemodel", b""))
    assert (caught.value.fault, caught.value.exit_code) == ("C01", 3)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_c01_truncated(text_file, model, share):
    data = model.SerializeToString()
    with pytest.raises(ModelError, match="truncated or damaged") as caught:
        read(text_file("m.caffemodel", data[: int(share * len(data))]))
    assert caught.value.fault == "C01"


def test_c01_truncated_hdf5(tmp_path, model, text_file):
    write_hdf5(tmp_path / "m.h5", model)
    data = (tmp_path / "m.h5").read_bytes()
    with pytest.raises(ModelError, match="damaged"):
        read(text_file("m.caffemodel.h5", data[: len(data) // 2]))


def test_c01_missing_or_a_folder(tmp_path):
    with pytest.raises(ModelError, match="does not exist"):
        read(tmp_path / "none.caffemodel")
    with pytest.raises(ModelError, match="is a folder, expected a file"):
        read(tmp_path)


def test_c01_no_layers(text_file):
    with pytest.raises(ModelError, match="has no layers"):
        read(text_file("m.caffemodel", caffe_pb2.NetParameter(name="n").SerializeToString()))


def test_c01_a_blob_that_does_not_fill_its_shape(tmp_path, model):
    model.layer[2].blobs[1].data.append(0)
    write(tmp_path / "m.caffemodel", model)
    with pytest.raises(ModelError, match=r"layer 'ip', blob 1: a blob of shape \(6,\) holds 7 values, expected 6"):
        read(tmp_path / "m.caffemodel")


def test_c01_text_in_the_place_of_weights(text_file):
    with pytest.raises(ModelError, match="is text, not a binary file"):
        read(text_file("m.caffemodel", 'name: "n" layer { }'))


def test_c03_a_solver_state_in_the_place_of_weights(tmp_path):
    path = tmp_path / "s.solverstate"
    state = solverstate.State(iteration=4, learned_net="s_iter_4.caffemodel", history=(np.ones((2, 3), np.float32),))
    solverstate.write(path, state)
    with pytest.raises(ModelError, match="holds solver state, not weights") as caught:
        read(path)
    assert "s_iter_4.caffemodel" in caught.value.hint
    assert caught.value.fault == "C03"


class Trap:
    """Unpickling it would end the process."""

    def __reduce__(self):
        return SystemExit, ("unpickled",)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("model.pkl", pickle.dumps(Trap(), protocol=0)),
        ("model.caffemodel", pickle.dumps(Trap(), protocol=2)),
        ("model.caffemodel", pickle.dumps(Trap(), protocol=5)),
        ("model.pt", b"PK\x03\x04rest of a zip"),
        ("model.pth", b"anything"),
    ],
)
def test_c04_a_pickle_is_named_and_never_opened(text_file, name, data):
    with pytest.raises(ModelError, match=r"which wf does not open \(a pickle can run code\)") as caught:
        read(text_file(name, data))
    assert caught.value.fault == "C04"


def test_c05_what_is_not_finite_is_counted(model):
    assert nonfinite(model) == {}
    model.layer[1].blobs[0].data[3] = np.nan
    model.layer[1].blobs[1].data[0] = -np.inf
    assert nonfinite(model) == {"conv": 2}


def test_a_git_lfs_pointer_is_named(text_file):
    with pytest.raises(ModelError, match="git-lfs pointer"):
        read(text_file("m.caffemodel", "version https://git-lfs.github.com/spec/v1\n"))


def test_shared_parameters_are_stored_once_in_hdf5(tmp_path, model):
    for layer in model.layer[1:]:
        layer.param.add(name=f"w of {layer.name}")
        layer.param.add(name="shared")
    model.layer[2].blobs[1].CopyFrom(model.layer[1].blobs[1])
    write_hdf5(tmp_path / "m.h5", model)
    with h5py.File(tmp_path / "m.h5") as file:
        assert {name: sorted(group) for name, group in file["data"].items()} == {
            "data": [],
            "conv": ["0", "1"],
            "ip": ["0"],
        }


def test_gradients_are_kept_in_both_formats(tmp_path, model):
    for layer in model.layer:
        for blob in layer.blobs:
            blob.diff.extend(-value for value in blob.data)
    write(tmp_path / "m.caffemodel", model)
    write_hdf5(tmp_path / "m.h5", model)
    for path in tmp_path.iterdir():
        for layer in read(path).layer:
            for blob in layer.blobs:
                np.testing.assert_array_equal(np.array(blob.diff), -np.array(blob.data))


@pytest.mark.parametrize("name", ["a/b", "", ".", ".."])
def test_names_that_hdf5_cannot_express(tmp_path, model, name):
    model.layer[0].name = name
    with pytest.raises(ModelError, match="cannot be a name in HDF5"):
        write_hdf5(tmp_path / "m.h5", model)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("pattern", "count"),
    [
        ("cifar10_quick_v1_everpeace/*.caffemodel", 2),
        ("cifar10_quick_v2_simshang/*.caffemodel", 2),
        ("cifar10_quick_h5_dmsh/*.caffemodel.h5", 2),
        ("cifar10_full_v2_yuvval/*.caffemodel", 1),
        ("lenet_v2_ethereon/*.caffemodel", 1),
    ],
)
def test_models_that_others_trained(shared_data, pattern, count):
    paths = sorted((shared_data / "models").glob(pattern))
    assert len(paths) == count
    for path in paths:
        model = read(path)
        assert not model.layers
        assert nonfinite(model) == {}
        blobs = {layer.name: [shape_of(blob) for blob in layer.blobs] for layer in model.layer}
        assert blobs["conv1"][0] in ((32, 3, 5, 5), (20, 1, 5, 5))
        assert len(blobs["conv2"]) == 2


def test_old_models_keep_their_legacy_shapes(shared_data):
    model = read(shared_data / "models/cifar10_quick_v1_everpeace/cifar10_quick_iter_5000.caffemodel")
    (ip1,) = [layer for layer in model.layer if layer.name == "ip1"]
    assert ip1.type == "InnerProduct"
    assert [shape_of(blob) for blob in ip1.blobs] == [(1, 1, 64, 1024), (1, 1, 1, 64)]


NET = """
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: [2, 3, 7, 5] } } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
  convolution_param { num_output: 4 kernel_h: 3 kernel_w: 2 weight_filler { type: "gaussian" std: 1 } } }
layer { name: "ip" type: "InnerProduct" bottom: "conv" top: "ip"
  inner_product_param { num_output: 6 weight_filler { type: "gaussian" std: 1 } } }
"""


@pytest.mark.caffe
def test_real_caffe_reads_what_we_write_and_the_other_way_round(tmp_path, model, real_caffe):
    (tmp_path / "net.prototxt").write_text(NET)
    legacy = caffe_pb2.NetParameter()
    legacy.CopyFrom(model)
    for layer, old in zip(legacy.layer, model.layer, strict=True):
        layer.ClearField("blobs")
        layer.blobs.extend(from_array(array, legacy=True) for array in arrays(old))
    write(tmp_path / "ours.caffemodel", model)
    write(tmp_path / "legacy.caffemodel", legacy)
    write_hdf5(tmp_path / "ours.caffemodel.h5", model)
    snippet = """
for name in ('ours.caffemodel', 'legacy.caffemodel', 'ours.caffemodel.h5'):
    net = caffe.Net('net.prototxt', caffe.TEST)
    net.copy_from(name)
    for layer, blobs in net.params.items():
        for k, blob in enumerate(blobs):
            result['%s %s %d' % (name, layer, k)] = blob.data.copy()
net.save('theirs.caffemodel')
net.save_hdf5('theirs.caffemodel.h5')
"""
    seen = real_caffe(snippet)
    assert len(seen) == 12
    ours = {f"{layer.name} {index}": array for layer in model.layer for index, array in enumerate(arrays(layer))}
    for name, array in seen.items():
        np.testing.assert_array_equal(array, ours[name.split(" ", 1)[1]])
    for name in ("theirs.caffemodel", "theirs.caffemodel.h5"):
        theirs = {layer.name: arrays(layer) for layer in read(tmp_path / name).layer}
        for key, array in ours.items():
            layer, index = key.split()
            np.testing.assert_array_equal(theirs[layer][int(index)], array)


def test_names_that_are_no_text(tmp_path):
    model = caffe_pb2.NetParameter()
    model.layer.add(name="ip", type="InnerProduct", bottom=["data"])
    (tmp_path / "odd.caffemodel").write_bytes(model.SerializeToString().replace(b"data", b"d\xe6ta"))
    with pytest.raises(ModelError, match=r"name 'd\\xe6ta' is not UTF-8"):
        read(tmp_path / "odd.caffemodel")


def test_few_bytes_that_claim_gigabytes(tmp_path):
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file.create_dataset("data/ip/0", (30000, 30000), dtype="f4", chunks=(1000, 1000), fillvalue=1.0)
    with pytest.raises(ModelError, match="claims 3600000000 bytes"):
        read(tmp_path / "m.h5")


def test_half_floats_become_floats(tmp_path, model):
    half = np.arange(24, dtype=np.float16).reshape(4, 6) / 3
    blob = model.layer[2].blobs[0]
    blob.Clear()
    blob.shape.dim.extend(half.shape)
    blob.raw_data_type, blob.raw_data = caffe_pb2.BlobProto.FLOAT16, half.tobytes()
    (tmp_path / "half.caffemodel").write_bytes(model.SerializeToString())
    got = read(tmp_path / "half.caffemodel")
    np.testing.assert_array_equal(arrays(got.layer[2])[0], half.astype(np.float32))
    blob.raw_data_type = caffe_pb2.BlobProto.UINT
    (tmp_path / "odd.caffemodel").write_bytes(model.SerializeToString())
    with pytest.raises(ModelError, match="layer 'ip', blob 0: 48 bytes of raw type UINT") as caught:
        read(tmp_path / "odd.caffemodel")
    assert caught.value.fault == "C01"


def test_half_floats_in_hdf5(tmp_path):
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file["data/ip/0"] = np.array([[0.5, 2], [3, 4]], np.float16)
    (ip,) = read(tmp_path / "m.h5").layer
    np.testing.assert_array_equal(arrays(ip)[0], [[0.5, 2], [3, 4]])


def test_a_gap_in_hdf5_is_an_empty_blob_that_is_not_written_again(tmp_path):
    """Real Caffe leaves a shared parameter to its owner: /data/ip2/0 is missing, /data/ip2/1 is there."""
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file["data/ip1/0"] = np.ones((2, 3), np.float32)
        file["data/ip2/1"] = np.ones(2, np.float32)
    model = read(tmp_path / "m.h5")
    assert [[shape_of(blob) for blob in layer.blobs] for layer in model.layer] == [[(2, 3)], [(0,), (2,)]]
    write_hdf5(tmp_path / "again.h5", model)
    with h5py.File(tmp_path / "again.h5") as file:
        assert {name: sorted(group) for name, group in file["data"].items()} == {"ip1": ["0"], "ip2": ["1"]}
    with h5py.File(tmp_path / "m.h5", "a") as file:
        file["data/ip2/999999"] = np.ones(2, np.float32)
    with pytest.raises(ModelError, match="layer 'ip2' has only some of its arrays"):
        read(tmp_path / "m.h5")


def odd_file(age: str) -> bytes:
    """A model of 2013, 2014 or today with a layer of a type that nobody knows."""
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    net = caffe_pb2.NetParameter(name="odd")
    for name, old, kind in (("ip", "innerproduct", 14), ("odd", "fancy", 20)):
        blob = from_array(values, legacy=age != "V2")
        if age == "V0":
            net.layers.add(layer={"name": name, "type": old, "blobs": [blob], "kernelsize": 3})
        elif age == "V1":
            net.layers.add(name=name, type=kind, blobs=[blob])
        else:
            net.layer.add(name=name, type="InnerProduct" if name == "ip" else "FancyFork", blobs=[blob])
    # V1's enum: what was written as number 20 is 99 in the file
    return net.SerializeToString().replace(b"\x28\x14", b"\x28\x63")


@pytest.mark.parametrize(("age", "kind"), [("V0", ""), ("V1", ""), ("V2", "FancyFork")])
def test_layers_of_unknown_types_keep_their_names_and_blobs(text_file, age, kind):
    model = read(text_file("odd.caffemodel", odd_file(age)))
    assert [(layer.name, layer.type, len(layer.blobs)) for layer in model.layer] == [
        ("ip", "InnerProduct", 1),
        ("odd", kind, 1),
    ]


@pytest.mark.caffe
@pytest.mark.parametrize("age", ["V1", "V2"])
def test_real_caffe_takes_the_known_layers_of_such_a_file(text_file, real_caffe, age):
    """(A V0 file with an unknown type ends real Caffe.)"""
    text_file("odd.caffemodel", odd_file(age))
    text_file(
        "net.prototxt",
        """layer { name: "d" type: "Input" top: "d" input_param { shape { dim: [2, 3] } } }
        layer { name: "ip" type: "InnerProduct" bottom: "d" top: "ip"
          inner_product_param { num_output: 2 bias_term: false } }""",
    )
    snippet = """
net = caffe.Net('net.prototxt', caffe.TEST)
net.copy_from('odd.caffemodel')
result['ip'] = net.params['ip'][0].data
"""
    np.testing.assert_array_equal(real_caffe(snippet)["ip"], np.arange(6).reshape(2, 3))
