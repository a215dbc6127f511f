from __future__ import annotations

import numpy as np
import pytest
from msgspec import structs
from PIL import Image
from small_net import DEPLOY

from workflow.config import Config
from workflow.data.pictures import decode
from workflow.errors import DataError, ModelError, NetError
from workflow.formats import caffemodel
from workflow.models.loading import load


def test_the_one_path(settings, trained):
    """decode, then the transform of the test net: mean, middle, scale."""
    model = load(settings)
    pixels = decode(settings.images[0] / "test" / "cross" / "0.png", settings.preprocessing)
    np.testing.assert_array_equal(model.read(settings.images[0] / "test" / "cross" / "0.png"), pixels)
    blob = model.blob([pixels])
    assert blob.shape == (1, 3, 7, 7)
    expected = (pixels - model.transform.mean)[:, 1:8, 0:7] * np.float32(0.01)
    np.testing.assert_allclose(blob[0], expected, rtol=1e-6, atol=1e-7)


def test_channels_in_the_recorded_order(foreign, project):
    Image.new("RGB", (7, 7), (10, 20, 30)).save(project / "colour.png")
    for order, expected in (("RGB", [10, 20, 30]), ("BGR", [30, 20, 10])):
        model = load(Config(), **foreign, channel_order=order)
        assert model.read(project / "colour.png")[:, 0, 0].tolist() == expected


def test_the_limit_of_pixels_is_the_settings(settings, trained):
    tight = structs.replace(settings, prepare=structs.replace(settings.prepare, max_pixels=50))
    with pytest.raises(DataError, match="more than the limit"):
        load(tight).read(settings.images[0] / "test" / "cross" / "0.png")


@pytest.mark.parametrize("engine", ["numpy", "torch"])
def test_c02_a_layer_that_the_weights_do_not_know(foreign, engine):
    """Not even an engine with fillers shows numbers that nobody trained."""
    foreign["net"].write_text(DEPLOY.replace('"ip"', '"new_ip"'))
    model = load(Config(), **foreign)
    with pytest.raises(ModelError, match="layer 'new_ip' .*none for it") as caught:
        model.open(engine)
    assert caught.value.fault == "C02"


def test_c02_ignored_layers_are_filled(foreign):
    foreign["net"].write_text(DEPLOY.replace("num_output: 6", "num_output: 8"))
    model = load(Config(), **foreign)
    with pytest.raises(ModelError, match="conv: file 6×3×3×3, net 8×3×3×3"):
        model.open()
    with pytest.raises(ModelError, match="numpy engine has no fillers"):
        model.open("numpy", ignore=["conv", "ip"])
    with model.open(ignore=["conv", "ip"]) as session:
        assert model.forward(session, [np.zeros((3, 7, 7), np.uint8)])["conv"].shape == (1, 8, 7, 7)


def test_two_engines_give_one_answer(foreign):
    model = load(Config(), **foreign)
    pictures = list(np.random.default_rng(1).integers(0, 256, size=(3, 3, 7, 7)).astype(np.uint8))
    with model.open("numpy") as one, model.open("torch") as other:
        ours, theirs = model.forward(one, pictures), model.forward(other, pictures)
    assert list(ours) == list(theirs)
    for name, array in ours.items():
        np.testing.assert_allclose(array, theirs[name], rtol=1e-4, atol=1e-5 * np.abs(array).max())


def test_x06_outputs_are_counted_when_they_have_run(foreign):
    """A net whose classifying layer cannot be told by its prototxt."""
    text = DEPLOY.replace('layer { name: "prob" type: "Softmax" bottom: "ip"', "").strip()
    text = (
        text[: text.rindex("\n")]
        + """
    layer { name: "cut" type: "Slice" bottom: "ip" top: "left" top: "right" slice_param { slice_point: 2 } }
    layer { name: "both" type: "Concat" bottom: "left" bottom: "left" bottom: "right" top: "both" }
    layer { name: "prob" type: "Softmax" bottom: "both" top: "prob" }"""
    )
    foreign["net"].write_text(text)
    model = load(Config(), **foreign)
    with model.open() as session, pytest.raises(NetError, match="'prob' has 5 outputs, but there are 3") as caught:
        model.probabilities(model.forward(session, [np.zeros((3, 7, 7), np.uint8)]))
    assert caught.value.fault == "X06"


def test_one_probability_for_each_class_and_picture(foreign):
    foreign["net"].write_text(DEPLOY.replace('type: "Softmax" bottom: "ip"', 'type: "Softmax" bottom: "pool"'))
    model = load(Config(), **foreign | {"labels": None})
    with model.open() as session, pytest.raises(NetError, match="expected one number for each class"):
        model.probabilities(model.forward(session, [np.zeros((3, 7, 7), np.uint8)]))


@pytest.mark.parametrize(("old", "iterations"), [("cifar10_quick_v1_everpeace", 5000), ("cifar10_quick_h5_dmsh", 4000)])
def test_files_of_all_ages(shared_data, old, iterations):
    folder = shared_data / "models" / old
    snapshot = next(folder.glob(f"*_iter_{iterations}.caffemodel*"))
    model = load(Config(), snapshot=str(snapshot), net=folder / "cifar10_quick.prototxt", mean="120")
    with model.open() as session:
        blobs = model.forward(session, [np.zeros((3, 32, 32), np.uint8)])
    np.testing.assert_allclose(model.probabilities(blobs).sum(), 1, rtol=1e-5)
    assert caffemodel.read(snapshot).layer
