from __future__ import annotations

import json
import logging
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from small_net import CLASSES, DEPLOY

from workflow.config import Config
from workflow.errors import DataError, UsageError
from workflow.formats import blobproto, caffe_pb2, caffemodel, labels
from workflow.formats.prototxt import read_net
from workflow.generations.places import picture_key
from workflow.interpretation.activations import grid
from workflow.interpretation.activations.inspect import inspect
from workflow.models.loading import load

CROSS = Path("images/test/cross/0.png")
QUICK = """
data (1, 3, 32, 32)
conv1 (1, 32, 32, 32)
pool1 (1, 32, 16, 16)
conv2 (1, 32, 16, 16)
pool2 (1, 32, 8, 8)
conv3 (1, 64, 8, 8)
pool3 (1, 64, 4, 4)
ip1 (1, 64)
ip2 (1, 2)
prob (1, 2)
"""


def look(model, *images, **options):
    with model.open() as session:
        return list(inspect(model, session, images, **options))


def test_shapes_probabilities_and_label(settings, trained):
    (found,) = look(load(settings), CROSS, blobs=["conv", "prob"])
    assert found.blobs == {
        "data": (1, 3, 7, 7),
        "conv": (1, 6, 7, 7),
        "pool": (1, 6, 3, 3),
        "ip": (1, 3),
        "prob": (1, 3),
    }
    assert tuple(found.probabilities) == CLASSES
    assert sum(found.probabilities.values()) == pytest.approx(1, abs=1e-5)
    assert found.label == max(found.probabilities, key=found.probabilities.get)


def test_json_is_json(settings, trained):
    (found,) = look(load(settings), CROSS, blobs=["conv"])
    document = json.loads(json.dumps(found.json()))
    assert list(document) == ["image", "snapshot", "blobs", "probabilities", "label", "pictures"]
    assert document["image"] == str(CROSS)
    assert document["snapshot"] == "gen1/iter_20"
    assert document["blobs"]["conv"] == [1, 6, 7, 7]
    assert document["pictures"] == {"conv": f"generations/gen1/inspect/0-{picture_key(CROSS)}-iter_20/conv.png"}


def pixels_of(path):
    with Image.open(path) as image:
        return np.asarray(image)


def test_pictures_are_the_blobs(settings, trained):
    model = load(settings)
    with model.open() as session:
        (found,) = inspect(model, session, [CROSS], blobs=["conv", "ip"])
        blobs = model.forward(session, [model.read(CROSS)])
    for name, path in found.pictures.items():
        expected = grid.enlarge(grid.grid(grid.channels(blobs[name])))
        np.testing.assert_array_equal(pixels_of(path)[: -grid.CAPTION], expected)
        assert min(expected.shape) >= 400


def test_without_the_usual_names_all_maps_are_drawn(settings, trained):
    assert list(look(load(settings), CROSS)[0].pictures) == ["conv", "pool"]


def test_i02_an_unknown_blob(settings, trained):
    with pytest.raises(UsageError, match="no blob 'con'") as caught:
        look(load(settings), CROSS, blobs=["con"])
    assert (caught.value.fault, caught.value.hint) == ("I02", "did you mean 'conv'?")
    assert not (trained.folder / "inspect").exists()


def test_i01_a_picture_that_cannot_be_read(settings, trained, project):
    (project / "cut.png").write_bytes(CROSS.read_bytes()[:150])
    with pytest.raises(DataError, match="cut.png is truncated") as caught:
        look(load(settings), Path("cut.png"))
    assert caught.value.exit_code == 3
    with pytest.raises(DataError, match="nothing.png does not exist") as caught:
        look(load(settings), Path("nothing.png"))
    assert caught.value.fault == "I01"


def test_i01_a_picture_of_any_size_takes_the_way_of_prepare(settings, trained, project):
    Image.fromarray(pixels_of(CROSS)).resize((61, 40)).save("large.png")
    (found,) = look(load(settings), Path("large.png"), blobs=["conv"])
    assert found.blobs["data"] == (1, 3, 7, 7)


def test_where_pictures_go(settings, trained, foreign):
    same = Path("images/test/circle/0.png")
    ours = load(settings)
    names = [one.pictures["conv"].as_posix() for one in look(ours, CROSS, same, blobs=["conv"])]
    assert names == [f"generations/gen1/inspect/0-{picture_key(one)}-iter_20/conv.png" for one in (CROSS, same)]
    (one,) = look(ours, CROSS, blobs=["conv"], out=Path("here"))
    assert one.pictures["conv"] == Path("here/conv.png")
    several = look(ours, CROSS, same, blobs=["conv"], out=Path("here"))
    assert [found.pictures["conv"].as_posix() for found in several] == ["here/0/conv.png", "here/0-2/conv.png"]
    (one,) = look(load(Config(), **foreign), CROSS, blobs=["conv"])
    assert one.pictures["conv"] == Path(f"inspect/0-{picture_key(CROSS)}-small/conv.png")


def test_blobs_are_saved(settings, trained, project):
    model = load(settings)
    other = Path("images/test/circle/1.png")
    look(model, CROSS, other, blobs=["conv"], save_blobs=Path("deep/blobs.npz"))
    with model.open() as session, np.load("deep/blobs.npz", allow_pickle=False) as saved:
        expected = model.forward(session, [model.read(CROSS), model.read(other)])
        assert saved.files == list(expected)
        for name, array in expected.items():
            assert saved[name].dtype == np.float32
            np.testing.assert_allclose(saved[name], array, rtol=1e-5, atol=1e-7)


def test_blobs_of_any_name(foreign, project):
    """GoogLeNet's have slashes; numpy.savez itself has an argument called `file`."""
    foreign["net"].write_text(DEPLOY.replace('"pool"', '"file"').replace('"conv"', '"a/b"'))
    weights = caffemodel.read(Path(foreign["snapshot"]))
    weights.layer[0].name = "a/b"
    caffemodel.write(Path(foreign["snapshot"]), weights)
    Image.new("RGB", (7, 7)).save("black.png")
    (found,) = look(load(Config(), **foreign), Path("black.png"), save_blobs=Path("blobs.npz"))
    assert found.pictures["a/b"] == Path(f"inspect/black-{picture_key(Path('black.png'))}-small/a_b.png")
    with np.load("blobs.npz") as saved:
        assert saved["file"].shape == (1, 6, 3, 3)
        assert saved["a/b"].shape == (1, 6, 7, 7)


def test_a_net_without_probabilities(foreign, project):
    foreign["net"].write_text("\n".join(line for line in DEPLOY.splitlines() if "Softmax" not in line))
    Image.new("RGB", (7, 7)).save("black.png")
    (found,) = look(load(Config(), **foreign), Path("black.png"))
    assert (found.probabilities, found.label) == ({}, None)
    assert found.json()["probabilities"] == {}


def test_c05_weights_that_are_no_numbers_can_be_looked_at(foreign, project, caplog):
    weights = caffemodel.read(Path(foreign["snapshot"]))
    weights.layer[0].blobs[0].data[0] = float("nan")
    caffemodel.write(Path(foreign["snapshot"]), weights)
    Image.new("RGB", (7, 7)).save("black.png")
    with caplog.at_level(logging.WARNING, "workflow"):
        (found,) = look(load(Config(), **foreign), Path("black.png"))
    assert "1 in conv" in caplog.text
    assert found.pictures["conv"].is_file()


@pytest.fixture
def quick(project):
    """cifar10_quick with two classes and random weights."""
    text = (Path(__file__).parents[2] / "prototxt" / "cifar10_quick_deploy.prototxt").read_text()
    (project / "deploy.prototxt").write_text(text.replace("num_output: 10", "num_output: 2"))
    shapes = {
        "conv1": [(32, 3, 5, 5), (32,)],
        "conv2": [(32, 32, 5, 5), (32,)],
        "conv3": [(64, 32, 5, 5), (64,)],
        "ip1": [(64, 1024), (64,)],
        "ip2": [(2, 64), (2,)],
    }
    rng, weights = np.random.default_rng(1), caffe_pb2.NetParameter(name="quick")
    for name, (shape, bias) in shapes.items():
        values = rng.normal(size=shape) / np.sqrt(np.prod(shape[1:]))
        weights.layer.add(name=name, blobs=[blobproto.from_array(values), blobproto.from_array(np.zeros(bias))])
    caffemodel.write(project / "quick.caffemodel", weights)
    return load(Config(), snapshot="quick.caffemodel", net=project / "deploy.prototxt", mean="120")


def test_blobs_of_cifar10_quick_with_two_classes(quick, project):
    Image.effect_noise((40, 30), 50).convert("RGB").save("noise.png")
    (found,) = look(quick, Path("noise.png"))
    assert "".join(f"{name} {shape}\n" for name, shape in found.blobs.items()).strip() == QUICK.strip()


def size_of(path):
    with Image.open(path) as image:
        return image.size


def test_the_four_pictures_of_old(quick, project):
    """conv1 and conv2 as 6 x 6, conv3 and pool3 as 8 x 8 tiles, one pixel between them, in whole enlargements."""
    Image.effect_noise((40, 30), 50).convert("RGB").save("noise.png")
    (found,) = look(quick, Path("noise.png"))
    sizes = {name: size_of(path) for name, path in found.pictures.items()}
    sizes = {name: (width, height - grid.CAPTION) for name, (width, height) in sizes.items()}
    assert sizes == {
        "conv1": (6 * 33 * 3,) * 2,
        "conv2": (6 * 17 * 4,) * 2,
        "conv3": (8 * 9 * 6,) * 2,
        "pool3": (8 * 5 * 10,) * 2,
    }


def test_conv1_keeps_its_negative_values_and_conv2_does_not(quick, project):
    """ReLU works in place behind conv2, and behind pool1."""
    Image.effect_noise((40, 30), 50).convert("RGB").save("noise.png")
    with quick.open() as session:
        blobs = quick.forward(session, [quick.read(Path("noise.png"))])
    assert blobs["conv1"].min() < 0
    assert all(blobs[name].min() == 0 for name in ("pool1", "conv2", "conv3"))


def branches(count):
    """The small net with `count` convolutions in a row, each of which two layers read."""
    layers, bottom = [], "data"
    for number in range(count):
        layers.append(
            f'layer {{ name: "c{number}" type: "Convolution" bottom: "{bottom}" top: "c{number}"'
            " convolution_param { num_output: 2 kernel_size: 1 } }"
            f'layer {{ name: "s{number}" type: "Eltwise" bottom: "c{number}" bottom: "c{number}" top: "s{number}" }}'
        )
        bottom = f"s{number}"
    return DEPLOY.splitlines()[2] + "\n".join(layers)


def elsewhere(project, net):
    """A model of that net with the weights that its layers ask for."""
    (project / "deploy.prototxt").write_text(net)
    weights, channels = caffe_pb2.NetParameter(), 3
    for layer in read_net(project / "deploy.prototxt").layer:
        if layer.type == "Convolution":
            outputs, size = layer.convolution_param.num_output, layer.convolution_param.kernel_size[0]
            values = np.random.default_rng(len(weights.layer)).normal(size=(outputs, channels, size, size))
            blobs = [blobproto.from_array(values), blobproto.from_array(np.zeros(outputs))]
            weights.layer.add(name=layer.name, blobs=blobs)
            channels = outputs
    caffemodel.write(project / "any.caffemodel", weights)
    Image.effect_noise((7, 7), 90).convert("RGB").save("noise.png")
    return load(Config(), snapshot="any.caffemodel", net=project / "deploy.prototxt", mean="120")


def test_copies_of_split_layers_are_hidden_unless_asked_for(project):
    model = elsewhere(project, branches(2))
    (found,) = look(model, Path("noise.png"), save_blobs=Path("all.npz"))
    assert list(found.blobs) == ["data", "c0", "s0", "c1", "s1"]
    assert list(found.pictures) == ["c0", "s0", "c1", "s1"]
    with np.load("all.npz") as saved:
        assert saved.files == list(found.blobs)
    (found,) = look(model, Path("noise.png"), blobs=["c0_c0_0_split_1", "c1"])
    assert list(found.pictures) == ["c0_c0_0_split_1", "c1"]


def test_a_large_net_gets_its_first_maps_and_the_names_of_the_others(project):
    (found,) = look(elsewhere(project, branches(8)), Path("noise.png"))
    assert list(found.pictures) == [f"{kind}{number}" for number in range(6) for kind in "cs"]
    assert found.not_drawn == ("c6", "s6", "c7", "s7")
    (found,) = look(elsewhere(project, branches(8)), Path("noise.png"), blobs=["c7"])
    assert found.not_drawn == ()


ANCHORS = """
layer { name: "conf" type: "Convolution" bottom: "data" top: "conf" convolution_param { num_output: 6 kernel_size: 1 } }
layer { name: "perm" type: "Permute" bottom: "conf" top: "perm" permute_param { order: 0 order: 2 order: 3 order: 1 } }
layer { name: "rows" type: "Reshape" bottom: "perm" top: "rows" reshape_param { shape { dim: 0 dim: -1 dim: 3 } } }
layer { name: "prob" type: "Softmax" bottom: "rows" top: "prob" softmax_param { axis: 2 } }
"""


def test_a_net_that_scores_anchors_is_shown_without_probabilities(project, caplog):
    model = elsewhere(project, DEPLOY.splitlines()[2] + ANCHORS)
    with caplog.at_level(logging.WARNING, "workflow"):
        found = look(model, Path("noise.png"), Path("noise.png"), save_blobs=Path("all.npz"))
    assert caplog.text.count("blob 'prob' is 1×98×3, not one number for each class") == 1
    assert found[0].blobs["prob"] == (1, 98, 3)
    assert (found[0].probabilities, found[0].label, found[0].class_map) == ({}, None, None)
    assert list(found[0].pictures) == ["conf", "perm"]
    assert Path("all.npz").is_file()


def test_labels_of_a_detector_are_not_held_against_its_anchors(project):
    elsewhere(project, DEPLOY.splitlines()[2] + ANCHORS)
    labels.write(Path("labels.txt"), CLASSES)
    flags = {"net": Path("deploy.prototxt"), "labels": Path("labels.txt"), "mean": "120"}
    assert load(Config(), snapshot="any.caffemodel", **flags).classes == CLASSES
