"""wf export."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import pytest
from running import Run

IMAGE = "images/character/0000.png"


def test_a_bundle_is_a_model_from_elsewhere(trained: Run) -> None:
    document = trained("export", "--bundle", "out/fox.tar.gz", "--json").json
    assert document["files"] == [
        "deploy.prototxt",
        "info.json",
        "labels.txt",
        "mean.binaryproto",
        "snapshot.caffemodel",
    ]
    first = Path("out/fox.tar.gz").read_bytes()
    with tarfile.open("out/fox.tar.gz") as archive:
        archive.extractall("there", filter="data")
    info = json.loads(Path("there/info.json").read_text())
    assert info["classes"] == ["character", "other"]
    assert info["snapshot"] == document["snapshot"] == "gen1/iter_2"
    flags = ["--net", "there/deploy.prototxt", "--mean", "there/mean.binaryproto", "--labels", "there/labels.txt"]
    ours = trained("predict", IMAGE, "--json").json["predictions"][0]
    theirs = trained("predict", IMAGE, "--snapshot", "there/snapshot.caffemodel", *flags, "--json").json
    assert theirs["predictions"][0]["probabilities"] == ours["probabilities"]
    trained("export", "--bundle", "out/fox.tar.gz")
    assert Path("out/fox.tar.gz").read_bytes() == first


def test_onnx(trained: Run) -> None:
    pytest.importorskip("onnxruntime", reason="needs the package onnxruntime: pip install 'wf[export]'")
    document = trained("export", "--onnx", "fox.onnx", "--json").json
    assert document["difference"] <= 1e-5
    assert Path("fox.onnx").is_file()


@pytest.mark.parametrize(
    ("flag", "name", "ending"), [("--onnx", "fox.txt", ".onnx"), ("--bundle", "fox.zip", ".tar.gz or .tgz")]
)
def test_a_name_that_says_something_else(trained: Run, flag: str, name: str, ending: str) -> None:
    assert f"{flag} {name}: expected a name that ends in {ending}" in trained("export", flag, name, code=2).err
    assert not Path(name).exists()


def test_nothing_to_do(trained: Run) -> None:
    assert "no output file" in trained("export", code=2).err
