from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from workflow.errors import UsageError
from workflow.models.anatomy import anatomy
from workflow.report.net_drawing import connections, draw_net, layout

PROTOTXT = Path(__file__).parents[2] / "prototxt"


@pytest.fixture(scope="module")
def net():
    return anatomy(PROTOTXT / "cifar10_quick_train_test.prototxt", stored=(3, 32, 32))


def test_every_layer_has_a_place_of_its_own_below_what_feeds_it(net):
    edges = connections(net.parts)
    places = layout(len(net.parts), edges)
    assert len(set(places)) == len(net.parts)
    assert all(places[end][1] > places[start][1] for start, end, _ in edges)


def test_layers_in_place_form_a_chain(net):
    names = [part.name for part in net.parts]
    pairs = {(names[start], names[end]) for start, end, _ in connections(net.parts)}
    assert {("conv2", "relu2"), ("relu2", "pool2")} <= pairs
    assert ("conv2", "pool2") not in pairs


def test_png_and_svg(net, tmp_path):
    draw_net(net, tmp_path / "net.png")
    with Image.open(tmp_path / "net.png") as picture:
        assert picture.height > picture.width
    draw_net(net, tmp_path / "net.svg")
    assert b"<svg" in (tmp_path / "net.svg").read_bytes()[:1000]
    with pytest.raises(UsageError, match=r"cannot draw a net as 'net\.jpeg'"):
        draw_net(net, tmp_path / "net.jpeg")
