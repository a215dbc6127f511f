"""A false positive beside its class."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from one_generation import make_one
from PIL import Image
from small_net import picture
from three_generations import settings

from workflow.data import manifest
from workflow.errors import DataError, UsageError
from workflow.exams.nearest import training_set
from workflow.generations import generations
from workflow.interpretation.attribution.channel_ablation import carrying
from workflow.interpretation.differentiable import Differentiable
from workflow.interpretation.examples.class_distance import Stage, gather, joins_at
from workflow.interpretation.examples.twin import twin
from workflow.interpretation.targets import of_class
from workflow.models.loading import load
from workflow.models.model import Model
from workflow.report.twin import draw_twin
from workflow.training import train


@pytest.fixture(scope="module")
def trained_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose net tells circles, crosses and empty pictures apart."""
    folder = tmp_path_factory.mktemp("twin") / "project"
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        make_one(folder)
        for _ in train(settings(), max_iter=150, fresh=True):
            pass
    return folder


@pytest.fixture
def learned(trained_once: Path, project: Path) -> Model:
    """Its snapshot, in a copy of the project."""
    shutil.copytree(trained_once, project, dirs_exist_ok=True)
    return load(settings(), snapshot="latest")


@pytest.fixture
def circle(project: Path) -> Path:
    """A new one."""
    pixels = picture(0, np.random.default_rng(99)).transpose(1, 2, 0)
    Image.fromarray(pixels).save(project / "new.png")
    return project / "new.png"


def test_a_picture_and_its_twin(learned: Model, circle: Path) -> None:
    calls: list[tuple[int, int]] = []
    found = twin(
        learned,
        circle,
        generations=generations(settings()),
        progress=lambda done, count: calls.append((done, count)),
    )
    document = found.json()
    assert document["class"] == "circle"
    assert document["nearest"]["label"] == "circle"
    assert document["nearest"]["generation"] == 1
    assert found.nearest_probability > 1 / 3
    assert [stage["blob"] for stage in document["stages"]] == ["data", "conv", "pool", "ip"]
    assert document["joins_at"] in ("data", "conv", "pool", "ip")
    assert document["carried_by"]["blob"] in ("conv", "pool")
    assert sorted(one["channel"] for one in document["carried_by"]["channels"]) == list(range(6))
    assert document["covered"]["probability"] <= document["probability"]
    assert calls
    draw_twin(found, learned.preprocessing, circle.with_name("sheet.png"))
    with Image.open(circle.with_name("sheet.png")) as drawn:
        assert np.asarray(drawn).std() > 20


def test_the_twin_is_the_nearest_true_positive(learned: Model, circle: Path) -> None:
    net = Differentiable(learned)
    own = net.run(net.blob([learned.read(circle)])).blobs["pool"].flatten()
    best = (np.inf, "")
    for one in _training_pictures(learned):
        blobs = net.run(net.blob([learned.read(Path(one.path))])).blobs
        if one.class_name == "circle" and int(blobs["prob"].argmax()) == 0:
            best = min(best, (float((blobs["pool"].flatten() - own).norm()), one.path))
    found = twin(learned, circle).nearest
    assert found.path == best[1]
    assert found.distance == pytest.approx(best[0], rel=1e-4)


def test_a_training_picture_is_not_its_own_twin(learned: Model) -> None:
    (mine, *_) = (one for one in _training_pictures(learned) if one.class_name == "circle")
    found = twin(learned, Path(mine.path), class_name="circle")
    assert found.nearest.distance > 0
    assert found.nearest.sha256 != mine.sha256


def test_a_class_that_no_picture_is_taken_for(learned: Model, circle: Path) -> None:
    blind = next(layer for layer in learned.weights.layer if layer.name == "ip")
    blind.blobs[1].data[1] = -1e6
    with pytest.raises(DataError, match="of class 'cross' is labelled correctly"):
        twin(learned, circle, class_name="cross")


def test_everything_is_one_class(learned: Model, circle: Path) -> None:
    blind = next(layer for layer in learned.weights.layer if layer.name == "ip")
    blind.blobs[1].data[0] = 1e6
    with pytest.raises(DataError, match="labels almost every training picture 'circle'"):
        twin(learned, circle)


def test_a_model_from_elsewhere_has_no_training_pictures(model: Callable[..., Model], picture: Path) -> None:
    with pytest.raises(UsageError, match="belongs to no generation"):
        twin(model("lenet"), picture)


def test_distances_by_hand(learned: Model, circle: Path) -> None:
    net = Differentiable(learned)
    x = net.blob([learned.read(circle)])
    mates = gather(net, x, of_class(net, "circle"), training_set(learned), blob="pool")
    most = min(len(mates.members), len(mates.others))
    (stage,) = (one for one in mates.stages() if one.blob == "conv")
    own = mates.own["conv"].numpy()
    for group, expected in ((mates.members, stage.to_class), (mates.others, stage.to_others)):
        away = sorted(float(np.linalg.norm(one.numpy() - own)) for one in group.blobs["conv"][:most])
        assert expected == pytest.approx(np.mean(away[:5]), rel=1e-4)
    assert stage.ratio == pytest.approx(stage.to_class / stage.to_others)
    assert stage.limit <= 1


def test_joining() -> None:
    def stages(*among: bool) -> tuple[Stage, ...]:
        ratios = [0.8 if one else 0.95 for one in among]
        return tuple(
            Stage(blob=str(place), to_class=1, to_others=1, ratio=ratio, limit=0.9)
            for place, ratio in enumerate(ratios)
        )

    assert joins_at(stages(True, False, True, True)) == "2"
    assert joins_at(stages(True, True)) == "0"
    assert joins_at(stages(True, False)) is None


def test_what_a_channel_carries_by_hand(learned: Model, circle: Path) -> None:
    """The blob feeds one InnerProduct: a channel's fall follows from its weights."""
    net = Differentiable(learned)
    x = net.blob([learned.read(circle)])
    target = of_class(net, "circle")
    usual = torch.zeros(net.shapes["pool"][1:])
    found = carrying(net, x, target, "pool", usual)
    blobs = net.run(x).blobs
    ip = next(layer for layer in learned.weights.layer if layer.name == "ip").blobs
    weights, bias = np.array(ip[0].data).reshape(3, 6, 9), np.array(ip[1].data)
    values = blobs["pool"][0].reshape(6, 9).numpy()

    def log_odds(kept: np.ndarray) -> float:
        scores = (weights * (values * kept[:, None])).sum((1, 2)) + bias
        return float(scores[0] - np.log(np.exp(scores[1:]).sum()))

    for one in found.channels:
        kept = np.ones(6)
        kept[one.number] = 0
        assert one.fall == pytest.approx(log_odds(np.ones(6)) - log_odds(kept), abs=1e-3)
    assert [one.fall for one in found.channels] == sorted((one.fall for one in found.channels), reverse=True)
    if found.enough is not None:
        kept = np.ones(6)
        kept[[one.number for one in found.channels[: found.enough]]] = 0
        assert ((weights * (values * kept[:, None])).sum((1, 2)) + bias).argmax() != 0


def _training_pictures(model: Model) -> list[manifest.Image]:
    assert model.generation is not None
    return list(manifest.read(model.generation, "train"))
