"""What each channel looks for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from one_generation import make_one
from PIL import Image
from three_generations import settings

from workflow.data import manifest
from workflow.errors import UsageError
from workflow.formats import caffe_pb2
from workflow.interpretation.differentiable import Differentiable
from workflow.interpretation.examples.channels import look_for
from workflow.interpretation.synthesis.ascent import Recipe
from workflow.models.loading import load
from workflow.models.model import Model
from workflow.report.channels import describe_channel, draw_channels

QUICK = Recipe(steps=8, seeds=1, frames=2)


@pytest.fixture
def small(project: Path) -> Model:
    """A snapshot of random weights; its net sees the middle 7 x 7 of pictures of 9 x 8."""
    make_one(project)
    return load(settings(), snapshot="latest")


def layer(model: Model, name: str) -> caffe_pb2.LayerParameter:
    return next(one for one in model.weights.layer if one.name == name)


def test_the_patches_are_the_best_by_brute_force(small: Model) -> None:
    calls: list[tuple[int, int]] = []
    found = look_for(small, "conv", recipe=QUICK, progress=lambda done, count: calls.append((done, count)))
    assert (24, 24) in calls
    assert found.count == 24
    net = Differentiable(small)
    assert small.generation is not None
    images = list(manifest.read(small.generation, "train"))
    records = [small.read(Path(one.path)) for one in images]
    maps = net.run(net.blob(np.stack(records))).blobs["conv"].numpy()
    for one in found.channels:
        greatest = maps[:, one.number].reshape(24, -1).max(1)
        order = np.argsort(-greatest, kind="stable")[:9]
        assert [patch.activation for patch in one.patches] == pytest.approx(greatest[order].tolist(), rel=1e-5)
        assert len({patch.path for patch in one.patches}) == 9
        for patch in one.patches:
            assert maps[patch.record, one.number][patch.place] == pytest.approx(patch.activation, rel=1e-5)
            assert images[patch.record].path == patch.path
            assert images[patch.record].class_name == patch.label
            row, column = patch.place  # a window of 3 with padding 1, in a crop that begins at row 1, column 0
            top, left = max(row - 1, 0) + 1, max(column - 1, 0)
            expected = records[patch.record][:, top : min(row + 2, 7) + 1, left : min(column + 2, 7)]
            np.testing.assert_array_equal(patch.pixels, expected)


def test_a_dead_channel_says_so(small: Model) -> None:
    conv = layer(small, "conv")
    weights = np.array(conv.blobs[0].data, np.float32).reshape(6, -1)
    weights[2] = 0
    conv.blobs[0].data[:] = weights.ravel()
    found = look_for(small, "conv", channels=[2, 4], recipe=QUICK)
    dead, alive = found.channels
    assert (dead.number, dead.dead, dead.patches, dead.maximum) == (2, True, (), None)
    assert (alive.number, alive.dead) == (4, False)
    assert "dead" in describe_channel(dead)
    document = found.json()
    assert document["channels"][0] == {"channel": 2, "dead": True, "patches": []}
    assert document["channels"][1]["patches"][0]["path"] == alive.patches[0].path


def test_all_channels_dead(small: Model, project: Path) -> None:
    conv = layer(small, "conv")
    conv.blobs[0].data[:] = np.zeros(len(conv.blobs[0].data))
    found = look_for(small, "conv", recipe=QUICK)
    assert all(one.dead for one in found.channels)
    draw_channels(found, small.preprocessing, project / "page.png")


def test_the_page(small: Model, project: Path) -> None:
    found = look_for(small, "pool", recipe=QUICK)
    draw_channels(found, small.preprocessing, project / "page.png")
    with Image.open(project / "page.png") as drawn:
        assert drawn.width > 4 * 300
        assert np.asarray(drawn).std() > 20


def test_what_is_not_there(small: Model) -> None:
    with pytest.raises(UsageError, match="no blob 'konv'"):
        look_for(small, "konv")
    with pytest.raises(UsageError, match="has no map") as caught:
        look_for(small, "ip")
    assert caught.value.hint == "one of conv, pool"
    with pytest.raises(UsageError, match="has no map"):
        look_for(small, "data")
    with pytest.raises(UsageError, match="no channel 6") as caught:
        look_for(small, "conv", channels=[6])
    assert caught.value.hint == "it has channels 0 to 5"


def test_a_model_from_elsewhere(model: Callable[..., Model]) -> None:
    with pytest.raises(UsageError, match="belongs to no generation"):
        look_for(model("lenet"), "conv1")
