from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from workflow.errors import NetError
from workflow.formats import binaryproto, caffe_pb2, datum, hdf5_arrays, lmdb
from workflow.formats.prototxt import parse
from workflow.models.sources import picture_shape

SOURCE = Path("net.prototxt")


def layer(text):
    return parse(text, caffe_pb2.LayerParameter)


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ('type: "MemoryData" memory_data_param { batch_size: 5 channels: 2 height: 7 width: 9 }', (2, 7, 9)),
        ('type: "ImageData" image_data_param { new_height: 7 new_width: 9 }', (3, 7, 9)),
        ('type: "ImageData" image_data_param { new_height: 7 new_width: 9 is_color: false }', (1, 7, 9)),
        ('type: "ImageData" transform_param { crop_size: 5 } image_data_param { is_color: false }', (1, 5, 5)),
        (
            'type: "ImageData" transform_param { crop_size: 5 } image_data_param { new_height: 7 new_width: 9 }',
            (3, 5, 5),
        ),
        ('type: "Data" transform_param { crop_size: 5 }', (3, 5, 5)),
        ('type: "Data" transform_param { crop_size: 5 mean_value: 1 mean_value: 2 }', (2, 5, 5)),
        ('type: "WindowData" transform_param { crop_size: 5 }', (3, 5, 5)),
    ],
)
def test_what_the_layer_itself_says(project, text, shape):
    assert picture_shape(layer(text), source=SOURCE) == shape


def test_what_lies_in_the_project(project):
    with lmdb.Writer(Path("db")) as writer:
        writer.put(b"0", datum.encode(np.zeros((2, 7, 9), np.uint8), 0))
    binaryproto.write_mean(Path("mean"), np.ones((2, 8, 6)))
    hdf5_arrays.write(Path("x.h5"), {"data": np.zeros((4, 5, 6, 7), np.float32)})
    Path("list").write_text("x.h5\n")
    assert picture_shape(layer('type: "Data" data_param { source: "db" }'), source=SOURCE) == (2, 7, 9)
    crop = 'type: "Data" data_param { source: "db" } transform_param { crop_size: 5 }'
    assert picture_shape(layer(crop), source=SOURCE) == (2, 5, 5)
    mean = 'type: "Data" data_param { source: "not here" } transform_param { mean_file: "mean" }'
    assert picture_shape(layer(mean), source=SOURCE) == (2, 8, 6)
    rows = 'type: "HDF5Data" top: "data" hdf5_data_param { source: "list" }'
    assert picture_shape(layer(rows), source=SOURCE) == (5, 6, 7)


def test_what_is_said_counts_and_what_lies_outside_is_not_read(project, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "db"
    with lmdb.Writer(elsewhere) as writer:
        writer.put(b"0", datum.encode(np.zeros((2, 7, 9), np.uint8), 0))
    one = layer(f'name: "d" type: "Data" data_param {{ source: "{elsewhere}" }}')
    with pytest.raises(NetError, match=r"layer 'd' \(Data\) of net.prototxt reads pictures of an unknown shape"):
        picture_shape(one, source=SOURCE)
    assert picture_shape(one, source=SOURCE, stored=(3, 4, 5)) == (3, 4, 5)
    crop = layer('type: "Data" transform_param { crop_size: 5 }')
    assert picture_shape(crop, source=SOURCE, channels=1) == (1, 5, 5)
