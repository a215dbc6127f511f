"""A stranger who has the exported file alone gets the numbers that wf gives."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from workflow import pycaffe
from workflow.config import Config, Preprocessing
from workflow.export.bundle import export_bundle
from workflow.export.facts import facts
from workflow.export.onnx_file import export_onnx
from workflow.formats.binaryproto import read_mean, write_mean
from workflow.models.loading import load
from workflow.models.model import Model

NET = """
layer {{ name: "data" type: "Input" top: "data" input_param {{ shape {{ dim: 1 dim: {0} dim: {1} dim: {1} }} }} }}
layer {{ name: "c" type: "Convolution" bottom: "data" top: "c" convolution_param {{
  num_output: 4 kernel_size: 3 weight_filler {{ type: "gaussian" std: 0.02 }} }} }}
layer {{ name: "ip" type: "InnerProduct" bottom: "c" top: "ip" inner_product_param {{
  num_output: 3 weight_filler {{ type: "gaussian" std: 0.02 }} }} }}
layer {{ name: "prob" type: "Softmax" bottom: "ip" top: "prob" }}
"""

STRANGER = Path(__file__).parents[2] / "examples" / "onnx_without_wf.py"
"""What the rule says, by somebody who has onnxruntime, numpy and Pillow, and has never seen wf."""


@pytest.fixture
def picture(project: Path) -> Path:
    pixels = np.random.default_rng(2).integers(0, 256, (29, 41, 4), dtype=np.uint8)
    Image.fromarray(pixels, "RGBA").resize((82, 58), Image.Resampling.BICUBIC).save(project / "image.png")
    return project / "image.png"


def opened(project: Path, order: str, size: int, mean: str, *, crop: int = 0) -> Model:
    channels = 1 if order == "GRAY" else 3
    net = project / "net.prototxt"
    net.write_text(NET.format(channels, crop or size))
    pycaffe.set_random_seed(4)
    pycaffe.Net(net, pycaffe.TEST).save(project / "net.caffemodel")
    if mean == "mean.binaryproto":
        values = np.random.default_rng(5).uniform(60, 180, (channels, size, size)).astype(np.float32)
        write_mean(project / mean, values)
    found = load(Config(), snapshot="net.caffemodel", net=net, mean=mean, scale=0.5, channel_order=order)
    if crop:
        from dataclasses import replace

        mean_picture = read_mean(project / mean)
        shape = Preprocessing(width=size, height=size, channel_order=order)
        found = replace(found, preprocessing=shape, transform=replace(found.transform, crop=crop, mean=mean_picture))
    return found


@pytest.mark.parametrize(
    ("order", "mean", "crop"),
    [
        ("RGB", "mean.binaryproto", 0),
        ("BGR", "104,117,123", 0),
        ("GRAY", "120", 0),
        ("BGR", "mean.binaryproto", 10),
    ],
)
def test_a_strangers_script_gets_our_numbers(project: Path, picture: Path, order: str, mean: str, crop: int) -> None:
    model = opened(project, order, 14, mean, crop=crop)
    export_onnx(model, project / "net.onnx")
    with model.open() as session:
        expected = model.forward(session, [model.read(picture)])["prob"].ravel()
    done = subprocess.run(
        [sys.executable, "-I", STRANGER, "net.onnx", picture], cwd=project, capture_output=True, text=True, check=True
    )
    np.testing.assert_allclose(list(json.loads(done.stdout).values()), expected, atol=1e-5)
    assert float(np.ptp(expected)) > 0.02


def test_there_is_one_mean_and_one_rule(project: Path) -> None:
    model = opened(project, "RGB", 14, "mean.binaryproto")
    known = facts(model)
    np.testing.assert_array_equal(np.asarray(known["mean"], np.float32), model.transform.mean)
    assert not [name for name in known if "mean" in name and name != "mean"]
    assert "Subtract `mean`, of the same shape" in known["rule"]
    assert "Multiply by `scale`, 0.5" in known["rule"]
    assert "for each channel" in facts(opened(project, "RGB", 14, "1,2,3"))["rule"]


def test_the_bundle_names_the_file_of_its_mean(project: Path) -> None:
    model = opened(project, "RGB", 14, "mean.binaryproto")
    (project / "scratch").mkdir()
    export_bundle(model, project / "net.tar.gz", project / "scratch")
    with tarfile.open(project / "net.tar.gz") as archive:
        info = json.load(archive.extractfile("info.json"))
        archive.extract("mean.binaryproto", project / "out", filter="data")
    assert info["mean"] == info["mean file"] == "mean.binaryproto"
    assert info["rule"] == facts(model)["rule"]
    np.testing.assert_array_equal(read_mean(project / "out" / "mean.binaryproto"), model.transform.mean)
