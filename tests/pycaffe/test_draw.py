from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from google.protobuf import text_format
from PIL import Image

from workflow import pycaffe as caffe
from workflow.formats import caffe_pb2

NET = Path(__file__).parents[2] / "prototxt" / "cifar10_quick_train_test.prototxt"


@pytest.mark.skipif(not shutil.which("dot"), reason="needs Graphviz")
@pytest.mark.parametrize(("direction", "wider"), [("LR", True), ("TB", False)])
def test_a_picture_is_drawn_in_the_direction_asked_for(tmp_path, direction, wider):
    net = text_format.Parse(NET.read_text(), caffe_pb2.NetParameter())
    caffe.draw.draw_net_to_file(net, str(tmp_path / "net.png"), direction)
    with Image.open(tmp_path / "net.png") as picture:
        width, height = picture.size
        colours = {colour for _, colour in picture.convert("RGB").getcolors(maxcolors=2**24)}
    assert (width > 2 * height) is wider
    assert {(255, 80, 80), (255, 153, 0), (204, 51, 255), (144, 238, 144)} <= colours  # boxes of each kind
