from __future__ import annotations

import pytest
from small_net import DEPLOY, NET

from workflow.errors import NetError
from workflow.inspection import deploy


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
        (NET, "has 0 inputs, expected one"),
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
