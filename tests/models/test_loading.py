from __future__ import annotations

import logging

import numpy as np
import pytest
from msgspec import structs
from small_net import CLASSES, DEPLOY

from workflow.errors import ModelError, NetError, UsageError
from workflow.formats import binaryproto, caffemodel
from workflow.generations import generation
from workflow.models.loading import load


def test_a_snapshot_explains_itself(settings, trained):
    model = load(settings, snapshot="iter_10")
    assert model.name == "gen1/iter_10"
    assert model.classes == CLASSES
    assert model.preprocessing == settings.preprocessing
    assert (model.input, model.output, model.iteration) == ("data", "prob", 10)
    assert model.transform.crop == 7
    assert model.transform.scale == pytest.approx(0.01)
    assert not model.transform.mirror
    np.testing.assert_array_equal(model.transform.mean, binaryproto.read_mean(trained.mean))


@pytest.mark.parametrize(
    ("reference", "name"),
    [(None, "gen1/iter_20"), ("latest", "gen1/iter_20"), ("best", "gen1/iter_10"), ("gen1/iter_10", "gen1/iter_10")],
)
def test_references(settings, trained, reference, name):
    assert load(settings, snapshot=reference).name == name


def test_a_path_into_a_generation_belongs_to_it(settings, trained):
    model = load(settings, snapshot=str(trained.snapshots / "small_iter_10.caffemodel"))
    assert model.name == "gen1/iter_10"
    assert model.classes == CLASSES


def test_another_deploy_net_for_a_snapshot(settings, trained, project):
    (project / "other.prototxt").write_text(DEPLOY.replace('name: "small"', 'name: "other"'))
    assert load(settings, net=project / "other.prototxt").net.name == "other"


@pytest.mark.parametrize("flag", ["mean", "labels", "channel_order", "scale"])
def test_flags_cannot_contradict_what_was_recorded(settings, trained, foreign, flag):
    value = {"channel_order": "BGR", "scale": 2.0}.get(flag) or foreign[flag]
    with pytest.raises(UsageError, match=f"--{flag.replace('_', '-')} was given for gen1/iter_20"):
        load(settings, **{flag: value})


def test_c06_unknown_snapshot(settings, trained):
    with pytest.raises(UsageError, match="no snapshot iter_200 in generation 1 .gen1 has iter_10, iter_20.") as caught:
        load(settings, snapshot="iter_200")
    assert caught.value.fault == "C06"
    assert caught.value.hint == "did you mean 'iter_20'?"


def test_c06_no_snapshot_yet(settings, prepared):
    with pytest.raises(UsageError, match="generation 1 has no snapshot yet"):
        load(settings)


@pytest.mark.parametrize("cut", [0, 700])
def test_c01_empty_or_cut_snapshot(settings, trained, cut):
    path = trained.snapshots / "small_iter_20.caffemodel"
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(ModelError, match="empty|truncated") as caught:
        load(settings)
    assert (caught.value.fault, caught.value.exit_code) == ("C01", 3)
    assert caught.value.hint == "newest good snapshot: iter_10"


def test_c01_a_snapshot_that_is_another_than_was_written(settings, trained):
    path = trained.snapshots / "small_iter_20.caffemodel"
    path.write_bytes((trained.snapshots / "small_iter_10.caffemodel").read_bytes())
    with pytest.raises(ModelError, match="does not match its checksum") as caught:
        load(settings)
    assert caught.value.hint == "newest good snapshot: iter_10"


def test_c04_a_pickle_is_never_opened(settings, project):
    (project / "model.pt").write_bytes(b"\x80\x02}q\x00.")
    with pytest.raises(ModelError, match="pickle") as caught:
        load(settings, snapshot="model.pt")
    assert (caught.value.fault, caught.value.exit_code) == ("C04", 3)


def test_c05_weights_that_are_no_numbers_are_shown_with_a_warning(settings, trained, caplog):
    weights = caffemodel.read(trained.snapshots / "small_iter_20.caffemodel")
    weights.layer[0].blobs[0].data[3:8] = [float("nan")] * 5
    caffemodel.write(trained.folder / "broken.caffemodel", weights)
    with caplog.at_level(logging.WARNING, "workflow"):
        load(settings, snapshot=str(trained.folder / "broken.caffemodel"))
    assert "NaN or infinite weights: 5 in conv (iter_20 is finite)" in caplog.text


def test_i03_the_snapshots_own_classes(settings, trained, caplog):
    record = trained.read()
    newer = generation(settings, 2)
    newer.folder.mkdir()
    newer.write(structs.replace(record, number=2, classes=(*CLASSES[:2], "fox", "owl"), snapshots=()))
    with caplog.at_level(logging.WARNING, "workflow"):
        model = load(settings, snapshot="gen1/iter_10")
    assert model.classes == CLASSES
    words = "snapshot gen1/iter_10 knows 3 classes, the dataset of gen2 has 4 ('fox' new, 'owl' new, 'empty' gone)"
    assert words in caplog.text


def test_m01_the_mean_is_missing_or_empty(settings, trained):
    trained.mean.write_bytes(b"")
    with pytest.raises(ModelError, match="mean.binaryproto is empty") as caught:
        load(settings)
    assert (caught.value.fault, caught.value.exit_code) == ("M01", 3)
    trained.mean.unlink()
    with pytest.raises(ModelError, match="mean.binaryproto does not exist"):
        load(settings)


def test_m02_mean_of_another_size(settings, trained):
    binaryproto.write_mean(trained.mean, np.ones((3, 4, 4), np.float32))
    with pytest.raises(NetError, match="mean is 3×4×4 but images are 3×9×8") as caught:
        load(settings)
    assert caught.value.fault == "M02"


def test_m02_a_net_for_other_pictures(settings, trained, project):
    (project / "other.prototxt").write_text(DEPLOY.replace("dim: 7 dim: 7", "dim: 7 dim: 6"))
    with pytest.raises(NetError, match=r"are \(3, 7, 7\), but the net takes \(3, 7, 6\)") as caught:
        load(settings, net=project / "other.prototxt")
    assert caught.value.fault == "M02"


def test_m03_mean_that_is_no_number(settings, trained):
    blob = binaryproto.read_mean(trained.mean)
    binaryproto.write_mean(trained.mean, blob)
    data = trained.mean.read_bytes()
    nan = np.full(2, np.nan, "<f4").tobytes()
    trained.mean.write_bytes(data[: -len(nan)] + nan)
    with pytest.raises(ModelError, match="has 2 NaN values") as caught:
        load(settings)
    assert caught.value.fault == "M03"


def test_x06_net_and_classes(settings, trained):
    path = trained.prototxt("deploy")
    path.write_text(path.read_text().replace("num_output: 3", "num_output: 10"))
    with pytest.raises(NetError, match="'ip' has 10 outputs, but there are 3 classes") as caught:
        load(settings)
    assert (caught.value.fault, caught.value.exit_code) == ("X06", 2)


def test_a_test_net_without_data(settings, trained):
    path = trained.prototxt("train_test")
    text = path.read_text()
    path.write_text(DEPLOY)
    with pytest.raises(NetError, match="has no Data layer for phase TEST"):
        load(settings)
    path.write_text(text)
