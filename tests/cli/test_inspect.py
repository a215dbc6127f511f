"""wf inspect, for our snapshots and for models from elsewhere."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from running import Run

IMAGE = "images/character/0000.png"
SHAPES = {
    "data": [1, 3, 32, 32],
    "conv1": [1, 32, 32, 32],
    "pool1": [1, 32, 16, 16],
    "conv2": [1, 32, 16, 16],
    "pool2": [1, 32, 8, 8],
    "conv3": [1, 64, 8, 8],
    "pool3": [1, 64, 4, 4],
    "ip1": [1, 64],
    "ip2": [1, 2],
    "prob": [1, 2],
}


def pixels(path: str | Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture)


def test_json(trained: Run) -> None:
    document = trained("inspect", IMAGE, "--snapshot", "iter_2", "--json").json
    assert document["image"] == IMAGE
    assert document["snapshot"] == "gen1/iter_2"
    assert document["blobs"] == SHAPES
    assert sum(document["probabilities"].values()) == pytest.approx(1)
    assert document["label"] in {"character", "other"}
    assert list(document["pictures"]) == ["conv1", "conv2", "conv3", "pool3"]
    for path in document["pictures"].values():
        assert pixels(path).ndim == 2  # grey


def test_the_shapes_and_probabilities_for_people(trained: Run) -> None:
    ran = trained("inspect", IMAGE)
    for name, shape in SHAPES.items():
        assert f"  {name:9}  {tuple(shape)}" in ran.out
    assert "probabilities" in ran.out
    assert "pool3.png" in ran.out


def test_options(trained: Run, tmp_path: Path) -> None:
    ran = trained(
        "inspect", IMAGE, "--blobs", "conv2, prob", "--out", tmp_path / "out", "--save-blobs", "b.npz", "--gen", "1",
        "--engine", "torch", "--json",
    )  # fmt: skip
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["conv2.png", "prob.png"]
    with np.load("b.npz") as saved:
        assert {name: list(saved[name].shape) for name in saved} == SHAPES
    assert list(ran.json["pictures"]) == ["conv2", "prob"]


def test_several_images_are_a_list(trained: Run) -> None:
    document = trained("inspect", IMAGE, "images/other/0001.png", "--json").json
    assert [one["image"] for one in document["inspections"]] == [IMAGE, "images/other/0001.png"]


def test_i01_an_image_that_cannot_be_read(trained: Run) -> None:
    data = Path(IMAGE).read_bytes()
    Path("cut.png").write_bytes(data[: len(data) // 2])
    ran = trained("inspect", "cut.png", code=3)
    assert "cut.png" in ran.err
    assert "truncated" in ran.err


def test_i02_an_unknown_blob(trained: Run) -> None:
    ran = trained("inspect", IMAGE, "--blobs", "con1", "--json", code=2)
    assert ran.json["error"]["id"] == "I02"
    assert "conv1" in ran.json["error"]["hint"]


def test_i02_no_display(trained: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    assert "there is no display" in trained("inspect", IMAGE, "--show").err


def test_i03_other_classes_in_the_newest_data_set(trained: Run) -> None:
    shutil.copytree("images/other", "images/third")
    for path in Path("images/third").iterdir():
        Image.fromarray(pixels(path)[::-1]).save(path)  # other bytes than in the class they come from
    trained("prepare")
    ran = trained("inspect", IMAGE, "--snapshot", "gen1/latest")
    assert "knows 2 classes" in ran.err
    assert "'third' new" in ran.err


def test_c06_an_unknown_snapshot(trained: Run) -> None:
    ran = trained("inspect", IMAGE, "--snapshot", "iter_20", "--json", code=2)
    assert ran.json["error"]["id"] == "C06"
    assert "iter_2" in ran.json["error"]["hint"]


def test_a_model_from_elsewhere(trained: Run) -> None:
    shutil.copy("generations/gen1/snapshots/cifar10_quick_iter_2.caffemodel", "other.caffemodel")
    Path("names.txt").write_text("pip\nrest\n")
    flags = ("--net", "generations/gen1/prototxt/deploy.prototxt", "--snapshot", "other.caffemodel")
    mean = "generations/gen1/dataset/mean.binaryproto"
    elsewhere = trained("inspect", IMAGE, *flags, "--mean", mean, "--labels", "names.txt", "--json").json
    ours = trained("inspect", IMAGE, "--json").json
    assert list(elsewhere["probabilities"]) == ["pip", "rest"]
    assert list(elsewhere["probabilities"].values()) == pytest.approx(list(ours["probabilities"].values()), abs=1e-6)
    swapped = trained("inspect", IMAGE, *flags, "--mean", "120,120,120", "--channel-order", "BGR", "--scale", "0.5")
    assert "other.caffemodel" in swapped.out


def test_layers_that_do_not_fit_can_be_left_out(trained: Run) -> None:
    net = Path("wider.prototxt")
    net.write_text(
        Path("generations/gen1/prototxt/deploy.prototxt").read_text().replace("num_output: 2", "num_output: 3")
    )
    shutil.copy("generations/gen1/snapshots/cifar10_quick_iter_2.caffemodel", "other.caffemodel")
    flags = ("--net", str(net), "--snapshot", "other.caffemodel")
    ran = trained("inspect", IMAGE, *flags, "--json", code=3)
    assert ran.json["error"]["id"] == "C02"
    assert trained("inspect", IMAGE, *flags, "--ignore-mismatch", "ip2", "--json").json["blobs"]["prob"] == [1, 3]


def test_pictures_side_by_side(trained: Run) -> None:
    images = ["images/character/0000.png", "images/other/0000.png"]
    document = trained("inspect", *images, "--blobs", "conv3", "--order", "activity", "--top", "9", "--json").json
    assert [one["image"] for one in document["inspections"]] == images
    compared = document["comparison"]["blobs"]["conv3"]
    assert len(compared["channels"]) == 9
    assert len(compared["statistics"]) == 2
    assert Path(document["pictures"]["conv3"]).name == "compare-conv3.png"


def test_a_channel_that_is_not_there_leaves_nothing(trained: Run) -> None:
    ran = trained("inspect", "images/character/0000.png", "--channel", "99", "--out", "there", code=2)
    assert "no channel 99" in ran.err
    assert not Path("there").exists()


def test_filters_as_colours(trained: Run) -> None:
    document = trained("inspect", "images/character/0000.png", "--filters", "--json").json
    with Image.open(document["pictures"]["filters"]) as picture:
        assert picture.size == (6 * 6 * 9 - 9, 6 * 6 * 9 - 9)  # 32 filters of 5 x 5 and a border, 9 times as large


def test_a_page_of_everything(three: Run) -> None:
    document = three("inspect", "images/test/circle/2.png", "--page", "--json").json
    page = Path(document["pictures"]["page"])
    assert page.parent == Path(document["pictures"]["conv"]).parent
    text = page.read_text()
    assert "Not available" not in text
    assert text.count('<img class="plot"') == 8  # two grids, and one picture of each other section
    for picture in ("twin.png", "ledger.png", "invert.png", "film.png"):
        assert (page.parent / picture).is_file()


def test_a_fully_convolutional_net(trained: Run) -> None:
    text = Path("generations/gen1/prototxt/deploy.prototxt").read_text().split('layer {\n  name: "pool1"')[0]
    Path("net.prototxt").write_text(text + 'layer { name: "prob" type: "Softmax" bottom: "conv1" top: "prob" }')
    shutil.copy("generations/gen1/snapshots/cifar10_quick_iter_2.caffemodel", "other.caffemodel")
    flags = ("--net", "net.prototxt", "--snapshot", "other.caffemodel", "--mean", "120")
    ran = trained("inspect", IMAGE, *flags, "--json")
    assert ran.json["probabilities"] == {}
    assert ran.json["class_map"]["shape"] == [32, 32]
    assert sum(ran.json["class_map"]["shares"].values()) == pytest.approx(1)
    assert pixels(ran.json["pictures"]["class map"]).ndim == 3
    assert "no probabilities are shown" in ran.err
    assert "% of the places" in trained("inspect", IMAGE, *flags).out
    assert "expected one number for each class" in trained("predict", IMAGE, *flags, code=2).err
