"""HDF5Data and HDF5Output."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
import torch
from one_layer import make

from workflow.errors import DatabaseError, EnvironmentFault, NetError

DATA = "name: 'd' type: 'HDF5Data' top: 'data' top: 'label' hdf5_data_param { source: 'list.txt' batch_size: 4 %s }"
OUTPUT = "name: 'o' type: 'HDF5Output' bottom: 'a' bottom: 'b' hdf5_output_param { file_name: 'out.h5' }"


@pytest.fixture
def files(tmp_path):
    for number, rows in enumerate((3, 5)):
        with h5py.File(tmp_path / f"{number}.h5", "w") as file:
            file["data"] = np.arange(rows * 2).reshape(rows, 2) + 100 * number
            file["label"] = np.arange(rows) + 10.0 * number
    (tmp_path / "list.txt").write_text("0.h5\n1.h5\n")
    return tmp_path


def labels(layer, passes):
    found = []
    for layer.position in range(passes):
        found += layer.forward()[1].tolist()
    return found


def test_rows_run_across_files_and_around(files):
    layer = make(DATA % "", folder=files)
    assert layer.top_shapes() == [(4, 2), (4,)]
    assert labels(layer, 3) == [0, 1, 2, 10, 11, 12, 13, 14, 0, 1, 2, 10]


def test_a_shuffled_round_has_every_row_once_files_not_mixed(files):
    layer = make(DATA % "shuffle: true", folder=files)
    first, second = np.split(np.array(labels(layer, 4)), 2)
    for turn in (first, second):
        assert sorted(turn.tolist()) == [0, 1, 2, 10, 11, 12, 13, 14]
        assert np.abs(np.diff((turn < 10).astype(int))).sum() == 1
    assert first.tolist() != second.tolist()
    assert labels(make(DATA % "shuffle: true", folder=files), 4) == [*first, *second]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "lists no files"),
        ("0.h5 2.h5", "2.h5 does not exist"),
        ("list.txt", "list.txt is damaged or not an HDF5 file"),
        ("0.h5 other.h5", "rows of shapes .*'data': .3,."),
        ("odd.h5", "expected the same number of rows"),
        ("nolabel.h5", "has no dataset 'label'; it has: data"),
        ("words.h5", "'label' is object of shape .2,., expected rows of numbers"),
        ("link.h5", "has no dataset 'label'"),
    ],
)
def test_files_that_do_not_fit(files, text, words):
    for name, arrays in {
        "other.h5": {"data": np.zeros((2, 3)), "label": np.zeros(2)},
        "odd.h5": {"data": np.zeros((2, 3)), "label": np.zeros(3)},
        "nolabel.h5": {"data": np.zeros((2, 3))},
        "words.h5": {"data": np.zeros((2, 3)), "label": ["a", "b"]},
        "link.h5": {"data": np.zeros((2, 3)), "label": h5py.ExternalLink("0.h5", "label")},
    }.items():
        with h5py.File(files / name, "w") as file:
            for key, value in arrays.items():
                file[key] = value
    (files / "list.txt").write_text(text)
    with pytest.raises(DatabaseError, match=words):
        make(DATA % "", folder=files)


def test_settings_that_cannot_be(files):
    with pytest.raises(NetError, match="has a transform_param"):
        make(DATA % "" + " transform_param { scale: 2 }", folder=files)
    with pytest.raises(NetError, match="batch_size=0"):
        make((DATA % "").replace("4", "0"), folder=files)
    with pytest.raises(NetError, match="file_name is missing"):
        make(OUTPUT.replace("out.h5", ""), folder=files)


A, B = np.arange(12, dtype="f").reshape(2, 3, 2), np.array([4, 5], "f")


def test_one_batch_is_written(tmp_path):
    layer = make(OUTPUT, folder=tmp_path)
    assert layer.top_shapes((2, 3, 2), (2,)) == []
    assert layer.forward(torch.from_numpy(A), torch.from_numpy(B)) == []
    with h5py.File(tmp_path / "out.h5") as file:
        np.testing.assert_array_equal(file["data"], A[..., None])
        np.testing.assert_array_equal(file["label"], B[:, None, None, None])
        assert file["data"].dtype == np.float32
    with pytest.raises(NetError, match="holds one batch already"):
        layer.forward(torch.from_numpy(A), torch.from_numpy(B))


def test_output_that_does_not_fit_or_cannot_be_written(tmp_path):
    layer = make(OUTPUT, folder=tmp_path)
    with pytest.raises(NetError, match="expected as many items, at most 4 axes"):
        layer.top_shapes((2, 3), (3,))
    away = make(OUTPUT, folder=tmp_path / "nowhere")
    with pytest.raises(EnvironmentFault, match="cannot write .*nowhere"):
        away.forward(torch.from_numpy(A), torch.from_numpy(B))


@pytest.mark.caffe
def test_twenty_random_outputs_are_those_of_real_caffe(real_caffe, tmp_path):
    rng = np.random.default_rng(6)
    given = {}
    for i in range(20):
        batch = int(rng.integers(1, 5))
        text = OUTPUT.replace("out.h5", f"theirs{i}.h5")
        inputs = ""
        for name in "ab":
            shape = (batch, *(int(size) for size in rng.integers(1, 5, size=rng.integers(0, 4))))
            given[f"{name}{i}"] = rng.normal(size=shape).astype("f")
            dims = " ".join(f"dim: {size}" for size in shape)
            inputs += f"layer {{ name: '{name}' type: 'Input' top: '{name}' input_param {{ shape {{ {dims} }} }} }}\n"
        (tmp_path / f"net{i}.prototxt").write_text(f"{inputs} layer {{ {text} }}")
    snippet = """
for i in range(20):
    net = caffe.Net('net%d.prototxt' % i, caffe.TEST)
    for name in 'ab':
        net.blobs[name].data[...] = given[name + str(i)]
    net.forward()
    del net
"""
    real_caffe(snippet, **given)
    for i in range(20):
        layer = make(OUTPUT.replace("out.h5", f"ours{i}.h5"), folder=tmp_path)
        layer.forward(*(torch.from_numpy(given[f"{name}{i}"]) for name in "ab"))
        with h5py.File(tmp_path / f"ours{i}.h5") as ours, h5py.File(tmp_path / f"theirs{i}.h5") as theirs:
            assert set(ours) == set(theirs)
            for name in ours:
                assert ours[name].dtype == theirs[name].dtype
                np.testing.assert_array_equal(ours[name], theirs[name])
