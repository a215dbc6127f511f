from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from three_generations import make_three, settings

from workflow.config import Config
from workflow.errors import FindingError, NetError, UsageError
from workflow.generations import generations
from workflow.interpretation.attribution import logit_account as module
from workflow.interpretation.attribution.logit_account import why
from workflow.models.loading import load

IMAGE = Path("images/test/cross/3.png")


@pytest.fixture
def model(project):
    make_three(project)
    return load(settings(), snapshot="best")


def test_every_class_sums_to_its_logit(model):
    with model.open() as session:
        logits = model.forward(session, [model.read(IMAGE)])["ip"][0]
    for index, (label, against) in enumerate((("circle", "cross"), ("cross", "empty"), ("empty", "circle"))):
        found = why(model, IMAGE, label=label, against=against, count=0)
        assert found.label.logit == logits[index]
        assert found.label.contributions.shape == (6, 3, 3)
        total = found.label.contributions.sum() + found.label.bias
        assert total == pytest.approx(logits[index], abs=1e-5)
        assert found.sum_error < 1e-5
        assert found.difference.sum() == pytest.approx(
            found.label.logit - found.against.logit - found.label.bias + found.against.bias, abs=1e-5
        )
        assert found.note is None


def test_by_default_the_class_it_was_given_against_the_next(model):
    found = why(model, IMAGE, count=0)
    likely = sorted(found.probabilities, key=lambda name: -found.probabilities[name])
    assert [found.label.label, found.against.label] == likely[:2]
    assert found.label.probability == found.probabilities[likely[0]]
    assert why(model, IMAGE, label=likely[2], count=0).against.label == likely[0]
    other = why(model, IMAGE, against=likely[0], count=0)
    assert (other.label.label, other.against.label) == (likely[1], likely[0])


def test_json(model):
    found = why(model, IMAGE, count=3, generations=generations(Config()))
    document = json.loads(json.dumps(found.json()))
    assert {"label", "against", "logit", "bias", "contributions", "sum_error", "nearest"} <= document.keys()
    entries = document["contributions"]
    assert len(entries) == 54
    assert sum(one["value"] for one in entries) + document["bias"] == pytest.approx(document["logit"], abs=1e-5)
    assert sum(one["against"] for one in entries) + document["against_bias"] == pytest.approx(
        document["against_logit"], abs=1e-5
    )
    differences = [one["difference"] for one in entries]
    assert differences == sorted(differences, reverse=True)
    places = {(one["channel"], one["row"], one["column"]): one["value"] for one in entries}
    assert len(places) == 54
    assert places[4, 2, 1] == found.label.contributions[4, 2, 1]
    assert len(document["nearest"]) == 3
    assert {one["generation"] for one in document["nearest"]} <= {1, 2, 3}


def test_the_picture_itself_among_the_neighbours(model):
    found = why(model, Path("images/train/empty/2.png"), count=2, generations=generations(Config()))
    first, second = found.nearest
    assert (first.same, first.label, first.generation) == (True, "empty", 2)
    assert first.distance < 0.01 < second.distance
    assert not second.same


def test_the_window_that_the_net_takes(model):
    pixels = model.read(IMAGE)  # (3, 9, 8), of which the net takes the middle 7 x 7
    np.testing.assert_array_equal(why(model, IMAGE, count=0).pixels, pixels[:, 1:8, 0:7])


def test_an_account_that_does_not_add_up_is_refused(model, monkeypatch):
    right = module.compose

    def wrong(*given):
        rows, bias = right(*given)
        return rows, bias + 2e-4

    monkeypatch.setattr(module, "compose", wrong)
    with pytest.raises(FindingError, match="is not linear from 'pool' to 'ip'"):
        why(model, IMAGE, count=0)


def test_classes_that_cannot_be_explained(model):
    with pytest.raises(UsageError, match="no class 'crss'") as caught:
        why(model, IMAGE, label="crss")
    assert caught.value.hint == "did you mean 'cross'?"
    with pytest.raises(UsageError, match="cannot be compared with itself"):
        why(model, IMAGE, label="cross", against="cross")


def test_a_net_without_softmax(model):
    with pytest.raises(NetError, match="no Softmax"):
        why(replace(model, output=None), IMAGE)


def test_lenet_is_not_linear_behind_pool2(shared_data, tmp_path):
    from PIL import Image

    stroke = np.zeros((28, 28), np.uint8)
    stroke[4:24, 13:16] = 255
    Image.fromarray(stroke).save(tmp_path / "one.png")
    folder = shared_data / "models" / "lenet_v2_ethereon"
    model = load(
        Config(),
        snapshot=str(folder / "lenet_iter_10000.caffemodel"),
        net=folder / "lenet.prototxt",
        channel_order="GRAY",
        scale=0.00390625,
    )
    found = why(model, tmp_path / "one.png")
    assert (found.label.label, found.blob, found.nearest) == ("1", "ip1", ())
    assert found.note is not None
    assert "not linear from 'pool2' on: 'relu1' (ReLU)" in found.note
    assert found.label.contributions.shape == (500, 1, 1)
    assert found.sum_error < 1e-4


def test_cifar10_quick_sums_over_64_channels_and_4_x_4_cells(shared_data, tmp_path):
    from PIL import Image

    noise = np.random.default_rng(1).integers(0, 256, size=(32, 32, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    folder = shared_data / "models" / "cifar10_quick_v2_simshang"
    model = load(
        Config(),
        snapshot=str(folder / "cifar10_quick_iter_5000.caffemodel"),
        net=folder / "cifar10_quick.prototxt",
        mean=str(folder / "mean.binaryproto"),
    )
    found = why(model, tmp_path / "noise.png")
    assert (found.blob, found.label.contributions.shape) == ("pool3", (64, 4, 4))
    assert found.sum_error < 1e-4
