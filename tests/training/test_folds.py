"""K trainings on K splits: every picture is judged once, by a net that has not seen it or a copy of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from three_generations import KINDS, draw, settings, write_prototxt

from workflow.config import Config
from workflow.data import manifest
from workflow.data.prepare import prepare
from workflow.engines.base import Control, Note, Started, Step
from workflow.errors import DataError, UsageError
from workflow.evaluation.folds import of_folds
from workflow.formats.prototxt import read_solver
from workflow.generations import Generation, existing, resolve
from workflow.report.folds import describe
from workflow.storage import sha256
from workflow.training import train
from workflow.training.folds import train_folds

FOLDS = 3


@pytest.fixture
def prepared(project: Path) -> Generation:
    """gen1: 36 pictures of three classes, and a copy of one that has other bytes."""
    write_prototxt(project)
    for name in KINDS:
        draw(project / "images", "train", name, 0, 8)
        draw(project / "images", "test", name, 0, 4)
    Image.open(project / "images/train/cross/0.png").save(project / "images/train/cross/copy.bmp")
    prepare(settings())
    return existing(Config())


def parts(one: Generation) -> dict[str, str]:
    return {image.sha256: image.split for image in manifest.read(one)}


def test_every_picture_is_judged_once_by_a_net_that_has_not_seen_it(prepared):
    before = sorted(path for path in prepared.folder.rglob("*") if path.is_file())
    notes = [event.text for event in train_folds(settings(), prepared, FOLDS) if isinstance(event, Note)]
    assert notes == ["fold 1 of 3", "fold 2 of 3", "fold 3 of 3"]
    folds = [parts(one) for one in prepared.folds]
    assert {frozenset(found) for found in folds} == {frozenset(parts(prepared))}
    for digest in parts(prepared):
        assert [found[digest] for found in folds].count("test") == 1
    twins = [sha256(Path(f"images/train/cross/{name}")) for name in ("0.png", "copy.bmp")]
    assert all(found[twins[0]] == found[twins[1]] for found in folds)
    assert all("validation" in found.values() for found in folds)
    found = of_folds(settings(), prepared, prepared.folds)
    assert (found.score.count, len(found.folds)) == (37, FOLDS)
    assert found.score.correct == sum(one.score.correct for one in found.folds)
    assert [one.score.count for one in found.folds] == [list(fold.values()).count("test") for fold in folds]
    low, high = found.json()["interval"]
    assert f"{found.score.correct} of 37 right" in describe(found)
    assert f"95 % interval {low:.4f} to {high:.4f}" in describe(found)
    outside = [path for path in prepared.folder.rglob("*") if path.is_file() and "folds" not in path.parts]
    assert sorted(outside) == before
    assert prepared.read().snapshots == ()
    again = list(train_folds(settings(), prepared, FOLDS))
    assert not any(isinstance(event, Step) for event in again)
    model = prepared.folds[1].folder / prepared.folds[1].read().snapshots[-1].model
    assert resolve(Config(), str(model)).generation == prepared.folds[1]


def test_a_series_that_was_stopped_is_resumed(prepared):
    control = Control()
    for event in train_folds(settings(), prepared, FOLDS, control=control):
        if isinstance(event, Step) and event.iteration == 4:
            control.stop()
    assert [len(one.read().snapshots) for one in prepared.folds] == [1, 0, 0]
    starts = [event.iteration for event in train_folds(settings(), prepared, FOLDS) if isinstance(event, Started)]
    assert starts == [5, 0, 0]


def test_the_folds_are_trained_as_the_generation_was(prepared):
    list(train(settings(), max_iter=4, seed=9))
    list(train_folds(settings(), prepared, 2))
    for one in prepared.folds:
        solver = read_solver(one.prototxt("solver"))
        assert (solver.max_iter, solver.random_seed) == (4, 9)
        assert solver.net == one.prototxt("train_test").as_posix()
        assert [snapshot.iteration for snapshot in one.read().snapshots] == [4]
    assert {path.name for path in prepared.snapshots.iterdir()} == {
        "small_iter_4.caffemodel",
        "small_iter_4.solverstate",
    }


def test_what_cannot_be_split(prepared):
    with pytest.raises(UsageError, match="--folds 1: expected at least 2"):
        list(train_folds(settings(), prepared, 1))
    for place, blue in {"train/flat/1.png": 200, "test/flat/2.png": 201}.items():
        path = Path("images") / place
        path.parent.mkdir()
        Image.new("RGB", (8, 9), (9, 9, blue)).save(path)
    prepare(settings())
    with pytest.raises(DataError, match="the pictures of 'flat' are all in one of 2 folds"):
        list(train_folds(settings(), existing(Config()), 2))
