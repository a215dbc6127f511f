"""A picture changed in simple ways."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from msgspec import structs
from PIL import Image

from workflow import pycaffe
from workflow.config import Config
from workflow.interpretation.attribution.counterfactuals import changes, colour_names, colours, counterfactuals
from workflow.interpretation.differentiable import Differentiable
from workflow.models.loading import load
from workflow.models.model import Model

YELLOW_NET = """
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 3 dim: 12 dim: 12 } } }
layer { name: "pool" type: "Pooling" bottom: "data" top: "pool" pooling_param { pool: AVE global_pooling: true } }
layer { name: "ip" type: "InnerProduct" bottom: "pool" top: "ip" inner_product_param { num_output: 2 } }
layer { name: "prob" type: "Softmax" bottom: "ip" top: "prob" }
"""


@pytest.fixture
def yellow_lover(project: Path) -> Model:
    """A net whose first class is 'more red and green than blue', and nothing else."""
    (project / "net.prototxt").write_text(YELLOW_NET)
    net = pycaffe.Net(str(project / "net.prototxt"), pycaffe.TEST)
    net.params["ip"][0].data[...] = [[0.05, 0.05, -0.1], [0, 0, 0]]
    net.params["ip"][1].data[...] = [-3, 0]
    net.save(str(project / "net.caffemodel"))
    return load(Config(), snapshot="net.caffemodel", net=project / "net.prototxt", mean="120,120,120")


def stranger() -> np.ndarray:
    """A blue-haired stranger on yellow: (3, 12, 12) in RGB."""
    pixels = np.full((12, 12, 3), (240, 220, 30), np.uint8)
    pixels[2:6, 2:8] = (40, 60, 220)
    return pixels.transpose(2, 0, 1).copy()


def test_the_colour_that_the_answer_hangs_on_comes_first(yellow_lover: Model) -> None:
    found = counterfactuals(Differentiable(yellow_lover), stranger(), channel=0)
    lost = [one for one in found if one.lost]
    assert {one.short for one in lost} == {"no yellow", "hues rotated", "grey scale"}
    by_name = {one.short: one for one in found}
    assert "(83% of it)" in by_name["no yellow"].change
    assert by_name["no yellow"].probability < 0.2
    assert by_name["no blue"].probability > by_name["mirrored"].probability > 0.9
    assert not by_name["no top third"].lost
    assert [one.probability for one in found] == sorted(one.probability for one in found)
    assert all(one.label == "1" for one in lost)


def test_probabilities_are_the_nets_for_those_pixels(yellow_lover: Model) -> None:
    net = Differentiable(yellow_lover)
    for one in counterfactuals(net, stranger(), channel=0):
        expected = np.asarray(net(net.blob([one.pixels])).detach()).ravel()
        assert one.probability == pytest.approx(expected[0], abs=1e-6)


@pytest.mark.parametrize("order", ["RGB", "BGR"])
def test_changes_are_made_in_the_recorded_channel_order(yellow_lover: Model, order: str) -> None:
    model = replace(yellow_lover, preprocessing=structs.replace(yellow_lover.preprocessing, channel_order=order))
    pixels = stranger()[:: -1 if order == "BGR" else 1]
    found = {short: one for _, short, one in changes(model, pixels)}
    assert (found["no blue"][:, 2:6, 2:8] == 128).all()
    assert (found["no blue"][:, 8:] == pixels[:, 8:]).all()
    assert (found["no middle third"][:, 4:8] == 120).all()
    assert (found["grey scale"][0] == found["grey scale"][2]).all()


def test_a_grey_net_has_no_colours_to_change(yellow_lover: Model) -> None:
    model = replace(yellow_lover, preprocessing=structs.replace(yellow_lover.preprocessing, channel_order="GRAY"))
    model = replace(model, transform=replace(model.transform, mean=None))
    found = [short for _, short, _ in changes(model, stranger()[:1])]
    assert found == ["no top third", "no middle third", "no bottom third", "mirrored", "blurred"]


def test_changes_that_change_nothing_are_left_out(yellow_lover: Model) -> None:
    grey = np.full((3, 12, 12), 128, np.uint8)
    assert {short for _, short, _ in changes(yellow_lover, grey)} == {
        "no top third",
        "no middle third",
        "no bottom third",
    }


@pytest.mark.parametrize(
    ("rgb", "name"),
    [
        ((0, 0, 0), "black"),
        ((255, 255, 255), "white"),
        ((130, 130, 128), "grey"),
        ((220, 20, 20), "red"),
        ((250, 150, 20), "orange"),
        ((110, 60, 20), "brown"),
        ((240, 220, 30), "yellow"),
        ((30, 160, 60), "green"),
        ((30, 180, 190), "turquoise"),
        ((40, 60, 220), "blue"),
        ((130, 40, 200), "purple"),
        ((250, 80, 190), "pink"),
    ],
)
def test_everyday_names(rgb: tuple[int, int, int], name: str) -> None:
    assert colour_names(np.full((2, 3, 3), rgb, np.uint8)).tolist() == [[name] * 3] * 2


def test_small_patches_of_colour_are_left_out() -> None:
    pixels = np.full((10, 10, 3), 255, np.uint8)
    pixels[0, :5] = (220, 20, 20)
    pixels[5:] = (0, 0, 0)
    assert [(name, share, int(mask.sum())) for name, share, mask in colours(pixels)] == [
        ("black", 0.5, 50),
        ("white", 0.45, 45),
    ]


def test_hues_are_turned(yellow_lover: Model) -> None:
    found = {short: one for _, short, one in changes(yellow_lover, stranger())}
    turned = Image.fromarray(found["hues rotated"].transpose(1, 2, 0))
    assert colour_names(np.asarray(turned))[11, 0] == "blue"
