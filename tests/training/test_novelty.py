"""The rule for unknown pictures, from a training to the answers."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from three_generations import KINDS, draw, settings, write_prototxt

from workflow import Project
from workflow.config import Config
from workflow.data.prepare import prepare
from workflow.exams import cache, novelty
from workflow.exams.exam import of_labelled
from workflow.formats.prototxt import read_net
from workflow.generations import Generation, existing
from workflow.models.linear_tail import logits_blob, pooled_blobs
from workflow.models.loading import load
from workflow.training import novelty as fitting
from workflow.training import train

ROOT = Path(__file__).parents[2]


@pytest.fixture
def judged(project: Path) -> Generation:
    """gen1, trained: 24 training, 24 validation and 12 test pictures of three classes."""
    write_prototxt(project)
    for name in KINDS:
        draw(project / "images", "train", name, 0, 8)
        draw(project / "images", "val", name, 20, 28)
        draw(project / "images", "test", name, 0, 4)
    prepare(settings())
    list(train(settings()))
    return existing(Config())


def strange(path: Path, seed: int = 1) -> Path:
    """A chessboard in the brightest colours."""
    fields = np.indices((9, 8)).sum(0) % 2 * 255
    Image.fromarray(np.stack([fields, 255 - fields, fields], 2).astype(np.uint8)).save(path)
    return path


def test_the_limit_keeps_95_percent_of_the_validation_pictures(judged: Generation) -> None:
    model = load(settings(), snapshot="best")
    rule = novelty.read(model)
    assert (rule.maps, rule.logits) == (("pool",), "ip")
    files = sorted(Path("images/val").glob("*/*.png"))
    with model.open("torch") as session:
        away = rule.distance(model.forward(session, [model.read(path) for path in files], rule.blobs))
    assert (away <= 1 + 1e-5).sum() == 24  # of 24 the 24th: 0.95 * 25 is 23.75
    assert away.max() == pytest.approx(1)
    assert [one.suffix for one in judged.snapshots.glob("*.unknown.*")] == [".npz"]  # of the best alone


def test_how_many_pictures_a_limit_needs() -> None:
    assert [fitting._rank(count) for count in (0, 18, 19, 20, 39, 1000)] == [None, None, 18, 19, 37, 950]


def test_predict_and_inspect_say_unknown(judged: Generation, project: Path) -> None:
    snapshot = Project.of(settings()).snapshot("best")
    known, odd = "images/val/circle/20.png", strange(project / "odd.png")
    found = snapshot.predict_all([known, odd])
    one, other = found.predictions
    assert (one.label, one.distance <= 1) == (one.class_name, True)
    assert (other.label, other.distance > 1) == ("unknown", True)
    assert other.probability == other.probabilities[other.class_name]
    assert f"unknown ({other.class_name})" in found.words()
    assert found.json()["predictions"][1]["class"] == other.class_name
    accepted = snapshot.predict(odd, accept_all=True)
    assert (accepted.label, accepted.distance) == (other.class_name, None)
    assert accepted.probabilities == pytest.approx(other.probabilities, abs=1e-6)
    links = snapshot.sort(found, project / "sorted")
    assert Path(links[str(odd)]).parent.name == "unknown"
    looked = snapshot.inspect(odd)
    assert looked.json()["unknown"] is True
    assert looked.distance == pytest.approx(other.distance, rel=1e-4)
    assert f"unknown: {looked.distance:.2f} times as far" in looked.words()
    assert "unknown" not in snapshot.inspect(known).words()


def test_evaluate_counts_what_predict_calls_unknown(judged: Generation) -> None:
    strange(Path("images/test/cross/odd.png"))
    snapshot = Project.of(settings()).snapshot("best")
    files = sorted(Path("images/test").glob("*/*.png"))
    said = snapshot.predict_all(files).predictions
    right = [one.class_name == one.path.parent.name for one in said if one.label == "unknown"]
    found = snapshot.evaluate(folder=Path("images/test"))
    assert len(right) >= 1
    counted = found.json()["called_unknown"]
    assert (counted["count"], counted["correct"]) == (len(right), sum(right))
    assert f"predict calls unknown: {sum(right)} right, {len(right) - sum(right)} wrong" in found.words()
    own = snapshot.evaluate().json()["called_unknown"]  # answers that the training has stored, distances and all
    assert own["count"] == sum(one.label == "unknown" for one in said if one.path.name != "odd.png")
    without = cache.answers(snapshot.model, of_labelled(Path("images/test")), fresh=True)
    assert without.distance is None
    assert snapshot.evaluate(folder=Path("images/test")).json()["called_unknown"] == counted  # computed again


def test_the_bundle_takes_it_along(judged: Generation, project: Path) -> None:
    snapshot = Project.of(settings()).snapshot("best")
    assert "snapshot.unknown.npz" in snapshot.export_bundle(project / "net.tar.gz")
    with tarfile.open(project / "net.tar.gz") as archive:
        archive.extractall(project / "there", filter="data")
    info = json.loads((project / "there/info.json").read_text())
    assert (info["unknown file"], info["temperature"]) == ("snapshot.unknown.npz", snapshot.model.temperature)
    flags = {"mean": "there/mean.binaryproto", "labels": Path("there/labels.txt"), "scale": 0.01}
    theirs = Project.of(settings()).snapshot("there/snapshot.caffemodel", net=Path("there/deploy.prototxt"), **flags)
    assert novelty.read(theirs.model).limit == novelty.read(snapshot.model).limit


def test_the_onnx_model_computes_it(judged: Generation, project: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime", reason="needs the package onnxruntime: pip install 'wf[export]'")
    snapshot = Project.of(settings()).snapshot("best")
    assert snapshot.export_onnx(project / "net.onnx")[0] <= 1e-5
    running = onnxruntime.InferenceSession(project / "net.onnx", providers=["CPUExecutionProvider"])
    assert [one.name for one in running.get_outputs()] == ["prob", "wf/calibrated", "wf/distance"]
    files = [Path("images/val/circle/20.png"), strange(project / "odd.png")]
    x = snapshot.model.blob([snapshot.model.read(path) for path in files])
    _, sure, away = running.run(None, {"data": x})
    for row, one in enumerate(snapshot.predict_all(files).predictions):
        assert away[row] == pytest.approx(one.distance, rel=1e-3)
        assert sure[row].max() == pytest.approx(one.calibrated, rel=1e-4)
    assert (away > 1).tolist() == [False, True]


def test_without_enough_validation_pictures_there_is_no_limit(validated: Generation) -> None:
    list(train(settings()))
    assert not list(validated.snapshots.glob("*.unknown.*"))
    snapshot = Project.of(settings()).snapshot("best")
    assert snapshot.predict("images/test/circle/0.png").distance is None
    assert "distance" not in snapshot.inspect("images/test/circle/0.png").json()


def test_its_blobs() -> None:
    net = read_net(ROOT / "prototxt/cifar10_quick_deploy.prototxt")
    assert (pooled_blobs(net), logits_blob(net, "prob")) == (("pool1", "pool2", "pool3"), "ip2")
