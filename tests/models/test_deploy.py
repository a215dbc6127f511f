from __future__ import annotations

import numpy as np
import pytest
from small_net import DEPLOY, NET, without_chance

from workflow.errors import NetError
from workflow.formats import blobproto, caffe_pb2
from workflow.formats.prototxt import read_net
from workflow.models import deploy


def write(tmp_path, text):
    path = tmp_path / "net.prototxt"
    path.write_text(text)
    return path


def test_input_shape_and_output(tmp_path):
    found = deploy.read(write(tmp_path, DEPLOY))
    assert (found.input, found.shape, found.output) == ("data", (3, 7, 7), "prob")


def test_a_net_without_probabilities(tmp_path):
    text = "\n".join(line for line in DEPLOY.splitlines() if "Softmax" not in line)
    assert deploy.read(write(tmp_path, text)).output is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (DEPLOY.splitlines()[1] + 'layer { name: "p" type: "Parameter" top: "p" }', "has 0 inputs, expected one"),
        (DEPLOY.replace('top: "data"', 'top: "data" top: "label"'), "has 2 inputs, expected one"),
        (DEPLOY.replace("dim: 1 dim: 3", "dim: 3"), r"is \[\(3, 7, 7\)\], expected \(N, C, H, W\)"),
    ],
)
def test_nets_that_take_no_picture(tmp_path, text, words):
    with pytest.raises(NetError, match=words):
        deploy.read(write(tmp_path, text))


def test_x06_outputs_and_classes(tmp_path):
    found = deploy.read(write(tmp_path, DEPLOY))
    deploy.check_outputs(found, ("a", "b", "c"))
    with pytest.raises(NetError, match="'ip' has 3 outputs, but there are 7 classes") as caught:
        deploy.check_outputs(found, tuple("abcdefg"))
    assert caught.value.fault == "X06"
    assert caught.value.hint.startswith("num_output: 7")


def test_a_net_that_classifies_in_its_own_way(tmp_path):
    deploy.check_outputs(deploy.read(write(tmp_path, DEPLOY.split('layer { name: "conv"')[0])), ("a", "b"))


def test_x09_a_net_that_would_write_elsewhere(tmp_path):
    spy = 'layer { name: "spy" type: "HDF5Output" bottom: "prob" bottom: "prob" hdf5_output_param { file_name: "/x" } }'
    with pytest.raises(NetError, match="'spy' .HDF5Output. writes '/x', which lies outside the project"):
        deploy.read(write(tmp_path, f"{DEPLOY}\n{spy}"))


def test_a_training_net_is_cut_to_what_looks_at_a_picture(tmp_path, caplog):
    found = deploy.read(write(tmp_path, NET))
    assert (found.input, found.shape, found.output) == ("data", (3, 7, 7), "prob")
    assert found.data is not None
    assert found.data.transform_param.scale == pytest.approx(0.01)
    assert "is a training net: layer 'pictures' is taken as an input of 3×7×7" in caplog.text


def test_channels_come_from_the_weights(tmp_path):
    weights = caffe_pb2.NetParameter()
    weights.layer.add(name="conv", blobs=[blobproto.from_array(np.ones((6, 1, 3, 3)))])
    assert deploy.read(write(tmp_path, NET), weights=weights).shape == (1, 7, 7)


def test_a_training_net_of_unknown_pictures_names_the_way_out(tmp_path):
    path = write(tmp_path, without_chance())
    with pytest.raises(NetError, match="reads pictures of an unknown shape") as caught:
        deploy.read(path)
    assert f"wf net deploy {path} deploy.prototxt --shape C,H,W" in caught.value.hint
    assert deploy.read(path, stored=(3, 9, 8)).shape == (3, 9, 8)


def test_where_a_net_reads_pictures_is_said(tmp_path):
    text = NET.replace("include { phase: TEST }", 'include { stage: "val" }', 1)
    text = text.replace("include { phase: TRAIN }", 'include { stage: "train" }', 1)
    net = read_net(write(tmp_path, text))
    with pytest.raises(NetError, match="reads no pictures in stage deploy") as caught:
        deploy.from_training(net, source=tmp_path / "net.prototxt", stages=["deploy"])
    assert "'pictures' (Data) exists in stage 'train'; layer 'pictures' (Data) exists in stage 'val'" in (
        caught.value.hint
    )
    assert deploy.read(tmp_path / "net.prototxt").shape == (3, 7, 7)
