"""Batches by position, and beside real Caffe's Data layer."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from workflow.data.batches import Batches
from workflow.data.rows import Rows
from workflow.data.transform import Transform
from workflow.errors import DatabaseError
from workflow.formats import caffe_pb2, datum
from workflow.formats.binaryproto import write_mean
from workflow.formats.lmdb import Reader, Writer

COUNT = 5


def picture(index: int) -> np.ndarray:
    return np.random.default_rng(index).integers(0, 256, (3, 7, 5), dtype=np.uint8)


@pytest.fixture
def database(tmp_path):
    with Writer(tmp_path / "lmdb") as writer:
        for index in range(COUNT):
            writer.put(b"%08d_cat/%d.png" % (index, index), datum.encode(picture(index), index % 3))
    return tmp_path / "lmdb"


def test_records_follow_each_other_and_wrap_in_mid_batch(database):
    with Reader(database) as reader:
        batches = Batches(reader, 2, Transform(), phase="TRAIN")
        assert batches.shape == (3, 7, 5)
        seen = [batches.read(position) for position in range(5)]
        for position, (data, labels) in enumerate(seen):
            expected = [(2 * position + offset) % COUNT for offset in range(2)]  # 01 23 40 12 34
            np.testing.assert_array_equal(data, np.stack([picture(index) for index in expected]))
            assert labels.tolist() == [index % 3 for index in expected]
            assert data.dtype == labels.dtype == np.float32


def test_a_batch_larger_than_the_database(database):
    with Reader(database) as reader:
        _, labels = Batches(reader, 12, Transform(), phase="TEST").read(1)
    assert labels.tolist() == [(index % COUNT) % 3 for index in range(12, 24)]


def test_what_is_drawn_depends_on_seed_and_position_alone(database):
    with Reader(database) as reader:
        transform = Transform(crop=3, mirror=True)
        straight = Batches(reader, 2, transform, phase="TRAIN")
        first = [straight.read(position, seed=7)[0] for position in range(40)]
        jumped = Batches(reader, 2, transform, phase="TRAIN")
        np.testing.assert_array_equal(jumped.read(33, seed=7)[0], first[33])
        assert not all(np.array_equal(jumped.read(k, seed=8)[0], first[k]) for k in range(40))
        assert not all(np.array_equal(first[k], first[k + COUNT]) for k in range(30))  # the same records


def test_l05_records_that_cannot_be_used_are_named(tmp_path):
    values = {
        b"00000000_a": datum.encode(picture(0), 1),
        b"00000001_b": datum.encode(picture(1)[:, :, :4], 1),
        b"00000002_c": datum.encode(picture(2), 9),
        b"00000003_d": b"\xff\xff",
    }
    with Writer(tmp_path / "lmdb") as writer:
        for key, value in values.items():
            writer.put(key, value)
    with Reader(tmp_path / "lmdb") as reader:
        batches = Batches(reader, 1, Transform(), phase="TRAIN")
        batches.classes = 7
        batches.read(0)
        assert batches.read(1)[0].shape == (1, 3, 7, 4)  # as in Caffe
        two = Batches(reader, 2, Transform(), phase="TRAIN")
        with pytest.raises(DatabaseError, match=r"record 00000001_b: its shape is \(3, 7, 4\)"):
            two.read(0)
        with pytest.raises(DatabaseError, match="record 00000002_c: label 9, but there are 7 classes"):
            batches.read(2)
        with pytest.raises(DatabaseError, match="record 00000003_d is not a Datum"):
            batches.read(3)


def test_encoded_records_come_as_opencv_gives_them(tmp_path):
    stream = io.BytesIO()
    Image.fromarray(picture(0).transpose(1, 2, 0)).save(stream, "PNG")
    value = caffe_pb2.Datum(data=stream.getvalue(), label=2, encoded=True).SerializeToString()
    with Writer(tmp_path / "lmdb") as writer:
        writer.put(b"0", value)
    with Reader(tmp_path / "lmdb") as reader:
        data, labels = Batches(reader, 1, Transform(), phase="TEST").read(0)
        np.testing.assert_array_equal(data[0], picture(0)[::-1])  # BGR
        assert labels.tolist() == [2]
        assert Batches(reader, 1, Transform(force="gray"), phase="TEST").shape == (1, 7, 5)


NET = """
layer {{ name: "data" type: "Data" top: "data" top: "label"
  data_param {{ source: "lmdb" backend: LMDB batch_size: 2 }}
  transform_param {{ {transform} }} }}
"""


@pytest.mark.caffe
@pytest.mark.parametrize(
    ("text", "transform"),
    [
        ("", Transform()),
        ("scale: 0.00390625 crop_size: 4", Transform(scale=0.00390625, crop=4)),
        ("mean_file: 'mean.binaryproto'", Transform(mean=np.full((3, 7, 5), -1, np.float32))),
        ("mean_file: 'mean.binaryproto' crop_size: 2 scale: 0.5", Transform(mean=np.zeros(1), crop=2, scale=0.5)),
        (
            "mean_value: 104.5 mean_value: 117 mean_value: 123",
            Transform(mean=np.float32([[[104.5]], [[117]], [[123]]])),
        ),
    ],
    ids=["plain", "crop and scale", "mean", "mean, crop and scale", "mean values"],
)
def test_equals_real_caffe_in_the_test_phase(database, tmp_path, real_caffe, text, transform):
    mean = (255 * np.random.default_rng(9).random((3, 7, 5))).astype(np.float32)
    write_mean(tmp_path / "mean.binaryproto", mean)
    (tmp_path / "net.prototxt").write_text(NET.format(transform=text))
    if "mean_file" in text:
        transform = Transform(mean=mean, crop=transform.crop, scale=transform.scale)
    snippet = """
net = caffe.Net("net.prototxt", caffe.TEST)
data, labels = [], []
for _ in range(6):
    net.forward()
    data.append(net.blobs["data"].data.copy())
    labels.append(net.blobs["label"].data.copy())
result["data"], result["labels"] = np.stack(data), np.stack(labels)
"""
    theirs = real_caffe(snippet=snippet)
    with Reader(database) as reader:
        batches = Batches(reader, 2, transform, phase="TEST")
        ours = [batches.read(position) for position in range(6)]
    np.testing.assert_allclose(np.stack([data for data, _ in ours]), theirs["data"], rtol=1e-6, atol=1e-5)
    np.testing.assert_array_equal(np.stack([labels for _, labels in ours]), theirs["labels"])


def test_records_of_several_sizes_are_cropped_one_by_one(tmp_path):
    """The middle of each; in TRAIN phase a place of its own, the same for the same seed and batch."""
    pictures = [picture(0), picture(1)[:, :, :4], picture(2)[:, :5]]
    with Writer(tmp_path / "lmdb") as writer:
        for index, pixels in enumerate(pictures):
            writer.put(b"%d" % index, datum.encode(pixels, index))
    with Reader(tmp_path / "lmdb") as reader:
        found, labels = Batches(reader, 3, Transform(crop=3), phase="TEST").read(0)
        for crop, pixels in zip(found, pictures, strict=True):
            top, left = (pixels.shape[1] - 3) // 2, (pixels.shape[2] - 3) // 2
            np.testing.assert_array_equal(crop, pixels[:, top : top + 3, left : left + 3])
        assert labels.tolist() == [0, 1, 2]
        training = Batches(reader, 3, Transform(crop=3, mirror=True), phase="TRAIN")
        np.testing.assert_array_equal(training.read(5, seed=2)[0], training.read(5, seed=2)[0])
        assert not np.array_equal(training.read(5, seed=2)[0], training.read(5, seed=3)[0])


@pytest.mark.parametrize("transform", [Transform(), Transform(crop=3, mirror=True)], ids=["plain", "random"])
@pytest.mark.parametrize("batch", [4, None], ids=["split", "each"])
def test_the_rows_of_a_part_are_those_of_the_whole_batch(database, transform, batch):
    """What is random is drawn for the whole batch, whoever reads which rows."""
    parts = [Rows(index=index, parts=3, batch=batch) for index in range(3)]
    with Reader(database) as reader:
        whole, labels = Batches(reader, batch or 12, transform, phase="TRAIN").read(5, seed=7)
        batches = Batches(reader, 4, transform, phase="TRAIN")
        for rows in parts:
            mine, own = batches.read(5, seed=7, rows=rows)
            np.testing.assert_array_equal(mine, whole[rows.own])
            np.testing.assert_array_equal(own, labels[rows.own])


def test_the_rows_of_a_part_of_records_of_different_sizes(tmp_path):
    with Writer(tmp_path / "lmdb") as writer:
        for index in range(4):
            writer.put(b"%08d.png" % index, datum.encode(picture(index)[:, : 5 + index % 2], index))
    with Reader(tmp_path / "lmdb") as reader:
        batches = Batches(reader, 4, Transform(crop=3, mirror=True), phase="TRAIN")
        whole, _ = batches.read(0, seed=7)
        mine, own = batches.read(0, seed=7, rows=Rows(index=0, parts=3, batch=4))
    np.testing.assert_array_equal(mine, whole[[0, 3]])
    assert own.tolist() == [0, 3]
