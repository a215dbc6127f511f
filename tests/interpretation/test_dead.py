"""Dead units and nets that always say the same: each way to look says so, and none shows them as a result."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from msgspec import structs
from one_generation import make_one
from three_generations import settings

from workflow.config import Config
from workflow.errors import FindingError
from workflow.evaluation.evaluate import evaluate
from workflow.exams import exam
from workflow.exams.dead_channels import silent_channels
from workflow.exams.nearest import nearest
from workflow.formats import blobproto, caffemodel
from workflow.interpretation.activations.inspect import inspect
from workflow.interpretation.attribution.explain import explain
from workflow.interpretation.synthesis.ascent import Recipe
from workflow.interpretation.synthesis.dream import alive, maximise
from workflow.interpretation.synthesis.invert import rebuild
from workflow.interpretation.synthesis.reconstruction import Settings
from workflow.models.loading import load
from workflow.models.model import Model
from workflow.report.inspection import describe

PICTURE = Path("images/test/circle/0.png")
SHORT = Recipe(steps=4, seeds=2)


@pytest.fixture
def kill(project: Path) -> Callable[..., Model]:
    """A snapshot in which these channels of conv cannot pass the ReLU behind their pooling."""
    one = make_one(project)

    def killed(*channels: int) -> Model:
        path = one.folder / one.read().snapshots[-1].model
        model = caffemodel.read(path)
        conv = next(layer for layer in model.layer if layer.name == "conv")
        bias = blobproto.to_array(conv.blobs[1]).copy()
        bias[list(channels)] = -1e6
        conv.blobs[1].CopyFrom(blobproto.from_array(bias))
        caffemodel.write(path, model)
        record = one.read()
        snapshots = tuple(structs.replace(snapshot, sha256={}) for snapshot in record.snapshots)
        one.write(structs.replace(record, snapshots=snapshots))
        return load(settings())

    return killed


def test_dreams_of_dead_units_are_none(kill, caplog):
    model = kill(2)
    found = maximise(model, units=["pool:1", "pool:2"], recipe=SHORT)
    assert [one.dead for one in found] == [False, True]
    assert [one.target.name for one in alive(found)] == ["pool:1"]
    assert "unit pool:2 is dead: it is 0 whatever the picture" in caplog.text
    with pytest.raises(FindingError, match="unit pool:2 is dead") as caught:
        alive(found[1:])
    assert caught.value.exit_code == 1


def test_dreams_of_a_constant_net_are_none(kill):
    with pytest.raises(FindingError, match="class circle is dead: it is"):
        alive(maximise(kill(*range(6)), classes=["circle"], recipe=SHORT))


def test_a_picture_that_reaches_just_the_best_is_not_among_the_top_0_percent(kill):
    (found,) = maximise(kill(), units=["pool:1"], recipe=SHORT)
    natural = np.append(found.natural, found.dream.activation).astype(np.float32).clip(max=found.dream.activation)
    verdict = type(found)(snapshot="s", dream=found.dream, natural=natural).verdict
    assert verdict.startswith("as much as the best of 15 test pictures")


def test_maps_of_what_does_not_fire_are_none(kill):
    model = kill(2)
    with pytest.raises(FindingError, match="unit pool:2 is 0 for this picture: the unit is not active") as caught:
        explain(model, PICTURE, unit_name="pool:2", names=["saliency"])
    assert caught.value.hint.startswith("wf dream --unit pool:2")
    assert explain(model, PICTURE, unit_name="pool:1", names=["saliency"]).maps
    with pytest.raises(FindingError, match=r"class circle stays at 0\.\d+ whatever is covered"):
        explain(kill(*range(6)), PICTURE, class_name="circle", names=["occlusion"])


def test_no_training_picture_is_nearer_to_a_constant_than_another(kill, caplog):
    model = kill(*range(6))
    with model.open() as session:
        pool = model.forward(session, [model.read(PICTURE)])["pool"]
    assert nearest(model, pool, 3, blob="pool").indices.shape == (1, 0)
    assert "blob 'pool' is the same for every training picture: all are equally near" in caplog.text


def test_inspect_says_what_shows_nothing_and_what_never_does(kill):
    model = kill(0, 4)
    assert silent_channels(model) == {}
    evaluate(model, exam.asked(Config(), model))
    silent = silent_channels(model)
    assert (silent["pool"].silent, silent["pool"].channels, silent["pool"].pictures) == (2, 6, 14)
    assert silent["ip"].silent == 0
    with model.open() as session:
        (one,) = inspect(model, session, [PICTURE], blobs=["pool", "ip"])
    text = describe(one, silent=silent)
    assert "pool: 2 of 6 channels are dead: none of 14 test pictures changes them" in text
    assert "ip:" not in text
    dead = kill(*range(6))
    assert silent_channels(dead) == {}  # other weights
    with dead.open() as session:
        (one,) = inspect(dead, session, [PICTURE], blobs=["pool"])
    assert one.json()["flat"] == {"pool": 0.0}
    assert "pool is 0 everywhere: its picture is blank" in describe(one)


def test_nothing_is_left_of_a_picture_behind_a_dead_layer(kill, caplog):
    rebuild(kill(*range(6)), PICTURE, blobs=["conv", "pool"], settings=Settings(steps=2))
    assert "blob 'pool' is 0 throughout: it holds no information about the picture" in caplog.text
    assert "blob 'conv'" not in caplog.text
