from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from small_net import CLASSES, DEPLOY

from workflow.config import Config
from workflow.errors import NetError
from workflow.formats import blobproto, caffe_pb2, caffemodel, labels
from workflow.interpretation.activations.inspect import inspect
from workflow.interpretation.activations.side_by_side import compare
from workflow.models.loading import load

HEAD = """
layer { name: "score" type: "Convolution" bottom: "data" top: "score"
  convolution_param { num_output: 3 kernel_size: 1 } }
layer { name: "prob" type: "Softmax" bottom: "score" top: "prob" }
"""


@pytest.fixture
def colours(project):
    """A fully convolutional net whose classes are red, green and blue; a picture of 7 x 7 with 3, 3 and 1 columns."""
    Path("deploy.prototxt").write_text(DEPLOY.splitlines()[2] + HEAD)
    weights = caffe_pb2.NetParameter()
    blobs = [blobproto.from_array(np.eye(3).reshape(3, 3, 1, 1)), blobproto.from_array(np.zeros(3))]
    weights.layer.add(name="score", blobs=blobs)
    caffemodel.write(Path("colours.caffemodel"), weights)
    labels.write(Path("labels.txt"), CLASSES)
    pixels = np.zeros((7, 7, 3), np.uint8)
    for channel, columns in enumerate((slice(0, 3), slice(3, 6), slice(6, 7))):
        pixels[:, columns, channel] = 5
    Image.fromarray(pixels).save("stripes.png")
    return {"snapshot": "colours.caffemodel", "net": Path("deploy.prototxt"), "labels": Path("labels.txt"), "mean": "0"}


def test_the_class_of_each_place(colours):
    model = load(Config(), **colours)
    with model.open() as session:
        (found,) = inspect(model, session, [Path("stripes.png")])
    assert found.class_map is not None
    np.testing.assert_array_equal(found.class_map.best, np.tile([0, 0, 0, 1, 1, 1, 2], (7, 1)))
    np.testing.assert_allclose(found.class_map.probability, np.exp(5) / (np.exp(5) + 2), rtol=1e-5)
    assert found.class_map.shares == pytest.approx({"circle": 3 / 7, "cross": 3 / 7, "empty": 1 / 7})
    assert found.json()["class_map"]["shape"] == [7, 7]


def test_labels_must_fit(colours):
    labels.write(Path("labels.txt"), ("a", "b"))
    with pytest.raises(NetError, match="'score' has 3 outputs, but there are 2 classes"):
        load(Config(), **colours)


def test_side_by_side_has_no_words(colours):
    model = load(Config(), **colours)
    with model.open() as session:
        assert compare(model, session, [Path("stripes.png")] * 2).words == ("", "")


def test_scores_without_a_softmax_layer(colours):
    """As FCN's nets end; where the classes have no names, or others, it may be any map."""
    model = load(Config(), **colours)
    with model.open() as session:
        (expected,) = inspect(model, session, [Path("stripes.png")])
    colours["net"].write_text(
        "\n".join(line for line in colours["net"].read_text().splitlines() if '"prob"' not in line)
    )
    for names, shown in ((CLASSES, True), (("a", "b"), False), (None, False)):
        if names is not None:
            labels.write(Path("labels.txt"), names)
        model = load(Config(), **colours | {"labels": Path("labels.txt") if names else None})
        with model.open() as session:
            (found,) = inspect(model, session, [Path("stripes.png")])
        assert (found.class_map is not None) == shown
        if found.class_map is not None:
            assert found.class_map.blob == "score"
            np.testing.assert_array_equal(found.class_map.best, expected.class_map.best)
            np.testing.assert_allclose(found.class_map.probability, expected.class_map.probability, rtol=1e-5)
