from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from small_net import make_generation

from workflow.errors import NetError
from workflow.formats import datum
from workflow.formats.binaryproto import read_mean
from workflow.formats.lmdb import Reader


def data(source, more="", top='top: "data" top: "label"', backend="backend: LMDB"):
    return f"""layer {{ name: "pictures" type: "Data" {top} transform_param {{ {more} }}
      data_param {{ source: "{source}" batch_size: 4 {backend} }} }}"""


@pytest.fixture
def one(project: Path):
    return make_generation(project)


def test_one_shape_for_all_inputs_or_one_each(a_net):
    inputs = 'layer { name: "in" type: "Input" top: "a" top: "b" input_param { shape { dim: 2 } %s } }'
    add = 'layer { name: "sum" type: "Eltwise" bottom: "a" bottom: "b" top: "c" }'
    assert a_net(inputs % "" + add).forward(a=[1, 2], b=[3, 4])["c"].tolist() == [4, 6]
    with pytest.raises(NetError, match="bottoms of shapes"):
        a_net(inputs % "shape { dim: 3 }" + add)
    with pytest.raises(NetError, match="3 shapes, expected none, 1 or 2"):
        a_net(inputs % "shape { dim: 3 } shape { dim: 3 }" + add)


def test_batches_go_on_and_wrap(a_net, one):
    with a_net(data(one.database("test"), f'scale: 0.5 mean_file: "{one.mean}"')) as session:
        assert session.inputs == ()
        batches = [session.forward() for _ in range(4)]  # 16 of 15 records
    mean = read_mean(one.mean)
    with Reader(one.database("test")) as reader:
        for number, blobs in enumerate(batches):
            for index in range(4):
                pixels, label = datum.decode(reader.read((4 * number + index) % 15)[1])
                np.testing.assert_allclose(blobs["data"][index], (pixels - mean) * 0.5, rtol=1e-6, atol=1e-5)
                assert blobs["label"][index] == label


def test_cut_in_the_middle_and_without_labels(a_net, one):
    with a_net(data(one.database("test"), "crop_size: 5", top='top: "data"')) as session:
        blobs = session.forward()
    assert list(blobs) == ["data"]
    with Reader(one.database("test")) as reader:
        pixels, _ = datum.decode(reader.read(0)[1])
    np.testing.assert_array_equal(blobs["data"][0], pixels[:, 2:7, 1:6])


def test_settings_that_cannot_be(a_net, one):
    with pytest.raises(NetError, match="backend is LEVELDB"):
        a_net(data(one.database("test"), backend=""))
    with pytest.raises(NetError, match="batch_size=0"):
        a_net(data(one.database("test")).replace("batch_size: 4", ""))


def test_m04_mean_file_and_mean_value(a_net, one):
    with pytest.raises(NetError, match="mean_file and mean_value cannot be used together") as caught:
        a_net(data(one.database("test"), f'mean_file: "{one.mean}" mean_value: 3'))
    assert caught.value.fault == "M04"
