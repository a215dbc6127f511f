from __future__ import annotations

import logging

import numpy as np
import pytest
from small_net import CLASSES, DEPLOY, NET, without_chance

from workflow.config import Config
from workflow.errors import ModelError, NetError, UsageError
from workflow.formats import binaryproto, labels
from workflow.models.loading import load


def test_flags_and_deploy_net_say_it_all(foreign):
    model = load(Config(), **foreign)
    assert model.name == foreign["snapshot"]
    assert model.classes == CLASSES
    assert model.preprocessing.shape == (3, 7, 7)
    assert model.preprocessing.channel_order == "RGB"
    np.testing.assert_array_equal(model.transform.mean, binaryproto.read_mean(foreign["mean"]))
    assert (model.generation, model.iteration, model.transform.crop, model.transform.scale) == (None, None, 0, 1)


def test_without_labels_classes_are_numbers(foreign):
    model = load(Config(), **foreign | {"labels": None})
    assert model.classes is None
    assert model.class_name(7) == "7"


def test_the_net_is_needed(foreign):
    with pytest.raises(UsageError, match="belongs to no generation") as caught:
        load(Config(), snapshot=foreign["snapshot"])
    assert "--net deploy.prototxt" in caught.value.hint


def test_no_mean_is_told(foreign, caplog):
    with caplog.at_level(logging.WARNING, "workflow"):
        assert load(Config(), **foreign | {"mean": None}).transform.mean is None
    assert "no mean was given" in caplog.text


@pytest.mark.parametrize(
    ("mean", "expected"), [("104,117,123", [104, 117, 123]), ("127.5", [127.5] * 3), ("0, 1e2,-3", [0, 100, -3])]
)
def test_mean_as_numbers(foreign, mean, expected):
    transform = load(Config(), **foreign | {"mean": mean}).transform
    assert transform.mean.shape == (3, 1, 1)
    assert transform.mean.ravel().tolist() == expected


@pytest.mark.parametrize("mean", ["104,117", "nan,0,0", "1,2,3,4"])
def test_mean_that_cannot_be(foreign, mean):
    with pytest.raises(UsageError, match="expected one for each of 3 channels"):
        load(Config(), **foreign | {"mean": mean})


def test_m01_mean_file_missing(foreign):
    with pytest.raises(ModelError, match="nothing.binaryproto does not exist") as caught:
        load(Config(), **foreign | {"mean": "nothing.binaryproto"})
    assert caught.value.fault == "M01"


def test_a_larger_mean_has_its_centre_cut_out(foreign, project, caplog):
    """As nets are fed that were trained with crop_size: the picture is brought to the mean's size first."""
    mean = np.random.default_rng(1).uniform(90, 120, size=(3, 10, 10)).astype("f")
    binaryproto.write_mean(project / "large.binaryproto", mean)
    with caplog.at_level(logging.WARNING, "workflow"):
        model = load(Config(), **foreign | {"mean": "large.binaryproto"})
    assert "the centre of the resized picture is used" in caplog.text
    picture = np.random.default_rng(2).integers(0, 256, size=(3, 10, 10)).astype(np.uint8)
    assert model.preprocessing.shape == (3, 10, 10)
    np.testing.assert_allclose(model.blob([picture])[0], (picture - mean)[:, 1:8, 1:8], rtol=1e-6)


@pytest.mark.parametrize("shape", [(3, 6, 6), (1, 7, 7), (3, 7, 6)])
def test_m02_mean_and_net(foreign, project, shape):
    binaryproto.write_mean(project / "odd.binaryproto", np.ones(shape, "f"))
    with pytest.raises(ModelError, match=f"mean is {'×'.join(map(str, shape))} but images are 3×7×7") as caught:
        load(Config(), **foreign | {"mean": "odd.binaryproto"})
    assert (caught.value.fault, caught.value.exit_code) == ("M02", 3)


@pytest.mark.parametrize(("asked", "expected"), [(None, "RGB"), ("BGR", "BGR"), ("bgr", "BGR")])
def test_channel_order(foreign, asked, expected):
    assert load(Config(), **foreign, channel_order=asked).preprocessing.channel_order == expected


def test_channel_orders_that_the_net_cannot_take(foreign):
    with pytest.raises(UsageError, match="--channel-order GRAY, but the net takes 3 channels: RGB or BGR"):
        load(Config(), **foreign, channel_order="GRAY")


def test_one_channel_is_grey(foreign):
    foreign["net"].write_text(DEPLOY.replace("dim: 1 dim: 3", "dim: 1 dim: 1"))
    model = load(Config(), **foreign | {"mean": None}, scale=0.5)
    assert model.preprocessing.shape == (1, 7, 7)
    assert model.preprocessing.channel_order == "GRAY"
    assert model.blob([np.full((1, 7, 7), 8, np.uint8)]).max() == 4
    with pytest.raises(UsageError, match="takes 1 channel: GRAY"):
        load(Config(), **foreign | {"mean": None}, channel_order="RGB")


def test_two_channels_are_no_picture(foreign):
    foreign["net"].write_text(DEPLOY.replace("dim: 1 dim: 3", "dim: 1 dim: 2"))
    with pytest.raises(NetError, match="the net takes 2 channels, expected 1 or 3"):
        load(Config(), **foreign)


def test_x06_labels_and_outputs(foreign):
    labels.write(foreign["labels"], ["a", "b"])
    with pytest.raises(NetError, match="'ip' has 3 outputs, but there are 2 classes") as caught:
        load(Config(), **foreign)
    assert caught.value.fault == "X06"


def test_a_mean_of_numpy_is_cropped_like_one_of_caffe(foreign, tmp_path):
    picture = np.random.default_rng(3).uniform(90, 130, (3, 11, 11))  # float64, as ilsvrc_2012_mean.npy
    np.save(tmp_path / "mean.npy", picture)
    binaryproto.write_mean(tmp_path / "mean.binaryproto", picture)
    ours = load(Config(), **foreign | {"mean": str(tmp_path / "mean.npy"), "channel_order": "BGR"})
    theirs = load(Config(), **foreign | {"mean": str(tmp_path / "mean.binaryproto"), "channel_order": "BGR"})
    pixels = np.random.default_rng(4).integers(0, 256, (2, 3, 11, 11), dtype=np.uint8)
    np.testing.assert_allclose(ours.blob(pixels), (pixels - picture)[:, :, 2:9, 2:9], atol=1e-4)
    np.testing.assert_array_equal(ours.blob(pixels), theirs.blob(pixels))


def test_a_mean_of_one_number_a_channel_is_no_picture(foreign, tmp_path):
    np.save(tmp_path / "mean.npy", np.array([104.0, 117.0, 123.0]))
    transform = load(Config(), **foreign | {"mean": str(tmp_path / "mean.npy")}).transform
    assert (transform.mean.ravel().tolist(), transform.crop) == ([104, 117, 123], 0)


def test_the_mean_of_imagenet_in_the_other_order_is_told(foreign, caplog):
    with caplog.at_level(logging.WARNING, "workflow"):
        load(Config(), **foreign | {"mean": "104,117,123"})
        assert "--channel-order BGR?" in caplog.text
        caplog.clear()
        load(Config(), **foreign | {"mean": "104,117,123", "channel_order": "RGB"})
        load(Config(), **foreign | {"mean": "123,117,104"})
    assert caplog.text == ""


def test_a_training_net_says_mean_scale_and_order_itself(foreign, caplog):
    text = NET.replace('mean_file: "?"', "mean_value: 5 mean_value: 6 mean_value: 7")
    foreign["net"].write_text(text)
    with caplog.at_level(logging.WARNING, "workflow"):
        model = load(Config(), **foreign | {"mean": None})
    assert model.transform.mean.ravel().tolist() == [5, 6, 7]
    assert model.transform.scale == pytest.approx(0.01)
    assert (model.output, model.preprocessing.channel_order) == ("prob", "RGB")
    assert "mean 5,6,7 is that of layer 'pictures'" in caplog.text
    assert "scale 0.01 is that of layer 'pictures'" in caplog.text
    said = load(Config(), **foreign | {"scale": 2.0})
    assert said.transform.scale == 2
    np.testing.assert_array_equal(said.transform.mean, binaryproto.read_mean(foreign["mean"]))


def test_what_opencv_decodes_is_bgr(foreign):
    foreign["net"].write_text(NET.replace('"Data"', '"ImageData"'))
    assert load(Config(), **foreign).preprocessing.channel_order == "BGR"
    assert load(Config(), **foreign | {"channel_order": "RGB"}).preprocessing.channel_order == "RGB"


def test_the_mean_tells_the_shape_where_the_training_net_does_not(foreign):
    foreign["net"].write_text(without_chance())
    assert load(Config(), **foreign).transform.shape((3, 7, 7)) == (3, 7, 7)
