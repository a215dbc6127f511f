from __future__ import annotations

from pathlib import Path

import pytest

from workflow.errors import NetError
from workflow.formats import caffe_pb2
from workflow.formats.prototxt import parse
from workflow.net.paths import refuse_outside


def net(param):
    return parse(f'layer {{ name: "pictures" type: "Some" {param} }}', caffe_pb2.NetParameter)


@pytest.mark.parametrize(
    "param",
    [
        'data_param { source: "../../secret" }',
        'hdf5_data_param { source: "/etc/passwd" }',
        'image_data_param { source: "list.txt" root_folder: "data/../../elsewhere/" }',
        'transform_param { mean_file: ".." }',
        'infogain_loss_param { source: "/data/h.binaryproto" }',
        'window_data_param { source: "../w" }',
    ],
)
def test_x09_a_source_outside_the_project(project, param):
    with pytest.raises(
        NetError, match=r"layer 'pictures' \(Some\) reads '.*', which lies outside the project"
    ) as caught:
        refuse_outside(net(param), project=Path(), at=project / "net.prototxt")
    assert caught.value.fault == "X09"
    assert caught.value.exit_code == 2
    assert "ln -s" in caught.value.hint
    assert "net.prototxt" in str(caught.value)


def test_x09_a_file_written_outside_the_project(project):
    with pytest.raises(NetError, match=r"writes '../../\.profile'"):
        refuse_outside(net('hdf5_output_param { file_name: "../../.profile" }'), project=Path())


def test_what_lies_inside_however_it_is_written(project):
    for path in ("data/train_lmdb", "./a/../b", str(project / "data"), "..data", ""):
        refuse_outside(net(f'data_param {{ source: "{path}" }}'), project=Path())
    (project / "data").symlink_to("/")
    refuse_outside(net('image_data_param { source: "data/list.txt" }'), project=Path())


def test_paths_that_are_filled_in_may_lie_anywhere(project):
    text = 'data_param { source: "/data/gen1/train_lmdb" } transform_param { mean_file: "../mean" }'
    refuse_outside(net(text), project=Path(), filled=["Some"])
