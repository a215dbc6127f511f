"""wf time."""

from __future__ import annotations

from pathlib import Path

import pytest
from running import Run

NET = str(Path(__file__).parents[2] / "prototxt" / "lenet_deploy.prototxt")


def test_json(wf: Run) -> None:
    document = wf("time", NET, "--batch", "3", "--iterations", "2", "--json").json
    assert document["batch"] == 3
    assert [one["name"] for one in document["layers"]][:3] == ["data", "conv1", "pool1"]
    assert document["milliseconds"]["torch"]["forward"] > 0
    assert document["milliseconds"]["torch"]["backward"] > 0


@pytest.mark.caffe
def test_beside_real_caffe(wf: Run, project: Path) -> None:
    Path(".caffe").symlink_to(Path(__file__).parents[2] / ".caffe")
    ran = wf("time", NET, "--iterations", "2")
    assert "Caffe's" in ran.out
    assert "conv2" in ran.out
    document = wf("time", NET, "--iterations", "2", "--json").json
    assert document["milliseconds"]["caffe"]["backward"] > 0


def test_a_net_that_has_no_input(wf: Run) -> None:
    train = NET.replace("deploy", "train_test")
    assert "has no Input layer" in wf("time", train, code=2).err


def test_numpy_forward_and_a_snapshot(trained: Run) -> None:
    document = trained("time", "--snapshot", "gen1/iter_2", "--batch", "2", "--iterations", "2", "--json").json
    assert document["net"] == "generations/gen1/prototxt/deploy.prototxt"
    assert document["milliseconds"]["numpy"]["forward"] > 0
    convolution = next(one for one in document["layers"] if one["name"] == "conv2")
    assert convolution["numpy"]["forward"] > 0
    assert "numpy" in trained("time", "--iterations", "1").out
    assert "cannot be used together" in trained("time", NET, "--gen", "1", code=2).err


def test_a_net_that_numpy_does_not_know(wf: Run, project: Path) -> None:
    text = Path(NET).read_text() + 'layer { name: "m" type: "MVN" bottom: "conv1" top: "m" }'
    Path("mvn.prototxt").write_text(text)
    document = wf("time", "mvn.prototxt", "--iterations", "1", "--json").json
    assert "numpy" not in document["milliseconds"]
