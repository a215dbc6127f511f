"""Training from the weights of a generation that has other classes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from msgspec import structs
from overriding import over
from small_net import edit, make_generation

from workflow.engines.base import Note, Started
from workflow.formats import blobproto, caffemodel
from workflow.training import train

CLASSES = ("empty", "square", "circle")
"""Of generation 2: 'cross' is gone, 'square' is new, the others have other numbers."""


@pytest.fixture
def second(run, project, generation):
    """Generation 1 is trained, generation 2 has the same pictures and other classes."""
    run(max_iter=10)
    other = make_generation(project, 2)
    counts = {"train": dict.fromkeys(CLASSES, 0) | {"circle": 50}, "test": dict.fromkeys(CLASSES, 5)}
    other.write(structs.replace(other.read(), classes=CLASSES, counts=counts, parent=1))
    return other


def classifier(path: Path) -> list[np.ndarray]:
    layer = next(one for one in caffemodel.read(path).layer if one.name == "ip")
    return [blobproto.to_array(blob) for blob in layer.blobs]


def begin(settings, **options):
    """The events up to and with Started."""
    events, found = train(settings, **options), []
    for event in events:
        found.append(event)
        if isinstance(event, Started):
            break
    events.close()
    return found


def test_old_classes_keep_their_rows_whatever_their_numbers(second, generation, settings, caplog):
    events = begin(settings, weights=["gen1/best"], max_iter=5)
    assert events[0] == Note(
        text="gen1/iter_10 for these classes: layer 'ip': kept 'empty', 'circle', new 'square', dropped 'cross'"
    )
    assert caplog.text == ""
    old = classifier(generation.folder / generation.read().snapshots[0].model)
    new = classifier(second.folder / "weights" / "gen1_iter_10_grown.caffemodel")
    for was, now in zip(old, new, strict=True):
        assert np.array_equal(now[0], was[2])
        assert np.array_equal(now[2], was[0])
        assert not np.array_equal(now[1], was[1])
    assert 0.05 < new[0][1].std() < 0.2  # gaussian, std 0.1
    assert new[1][1] == 0  # no bias_filler is a constant 0


def test_the_run_is_recorded_and_begins_from_the_grown_weights(second, settings):
    edit(Path("prototxt/small_solver.prototxt"), "base_lr: 0.02", "base_lr: 0.00001")
    list(train(settings, weights=["gen1/best"], max_iter=2))
    training = second.read().training
    assert training.weights == ("generations/gen1/snapshots/small_iter_10.caffemodel",)
    assert training.growth == [
        {"from": "gen1/iter_10", "layer": "ip", "kept": ["empty", "circle"], "new": ["square"], "dropped": ["cross"]}
    ]
    trained = classifier(second.folder / second.read().snapshots[-1].model)[0]
    grown = classifier(second.folder / "weights" / "gen1_iter_10_grown.caffemodel")[0]
    assert np.abs(trained - grown).max() < 1e-3


def test_more_classes_than_before(second, settings):
    classes = (*CLASSES, "cross", "star")
    record = second.read()
    second.write(structs.replace(record, classes=classes))
    list(train(settings, weights=["gen1/best"], max_iter=2))
    assert classifier(second.folder / second.read().snapshots[-1].model)[0].shape == (5, 54)


def test_new_rows_follow_the_seed(second, settings):
    path = second.folder / "weights" / "gen1_iter_10_grown.caffemodel"
    rows = []
    for seed in (1, 1, 2):
        begin(settings, weights=["gen1/best"], seed=seed)
        rows.append(classifier(path)[0][1])
    assert np.array_equal(rows[0], rows[1])
    assert not np.array_equal(rows[0], rows[2])


def test_the_same_classes_need_nothing(run, project, settings):
    run(max_iter=10)
    other = make_generation(project, 2)
    events = begin(settings, weights=["gen1/best"])
    assert [type(event) for event in events] == [Started]
    assert not (other.folder / "weights").exists()


def test_weights_without_the_classifying_layer_are_left_as_they_are(second, settings):
    for name in ("train_test", "deploy"):
        edit(Path(f"prototxt/small_{name}.prototxt"), 'name: "ip"', 'name: "other"')
    events = begin(settings, weights=["gen1/best"])
    assert [type(event) for event in events] == [Started]


@pytest.mark.caffe
def test_real_caffe_starts_from_grown_weights(second, settings):
    edit(Path("prototxt/small_solver.prototxt"), "base_lr: 0.02", "base_lr: 0.00001")
    events = list(train(over(settings, train__engine="caffe"), weights=["gen1/best"], max_iter=2))
    assert isinstance(events[0], Note)
    trained = classifier(second.folder / second.read().snapshots[-1].model)
    grown = classifier(second.folder / "weights" / "gen1_iter_10_grown.caffemodel")
    assert [one.shape for one in trained] == [(3, 54), (3,)]
    assert np.abs(trained[0] - grown[0]).max() < 1e-3
    assert "Finetuning" in (second.logs / "train.log").read_text()
