"""Trainings at once: each gives what it gives alone with one thread, however they are interrupted."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from overriding import over

from workflow.config import Config
from workflow.engines.base import Control, Note
from workflow.evaluation.seed_spread import comparable_reruns
from workflow.training import side_by_side, train, train_seeds


@pytest.fixture
def _worth(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(side_by_side, "_WORTH", 0.0)
    monkeypatch.setattr(side_by_side.cores, "available", lambda: 2)


def last(run) -> bytes:
    """Its last weights."""
    return (run.folder / run.read().latest.model).read_bytes()


@pytest.mark.slow
@pytest.mark.usefixtures("_worth")
def test_each_seed_has_the_bytes_of_a_run_alone(generation, settings):
    list(train(over(settings, train__threads=1), seed=7))
    alone = last(generation)
    events = list(train_seeds(settings, seeds=3, fresh=True))
    notes = [event.text for event in events if isinstance(event, Note)]
    assert notes[0] == "2 trainings, 2 at a time with 1 thread each"
    assert sorted(text.partition(" done: iteration 20")[0] for text in notes[1:]) == [
        "seed 6, run 2 of 3",
        "seed 7, run 3 of 3",
    ]
    assert last(generation.reruns[1]) == alone
    assert last(generation.reruns[0]) != alone
    assert [run.read().training.threads for run in generation.reruns] == [1, 1]
    assert comparable_reruns(generation) == generation.reruns


@pytest.mark.usefixtures("_worth")
def test_none_begins_after_a_wish_to_stop(generation, settings):
    control = Control()
    for event in train_seeds(settings, seeds=4, control=control):
        if isinstance(event, Note):
            control.stop()
    assert len(generation.read().snapshots) == 2
    assert generation.reruns == []


def test_short_trainings_are_done_one_after_the_other(generation, settings):
    list(train(settings))
    assert side_by_side.workers(Config(), generation, 7) == 1


@pytest.mark.usefixtures("_worth")
def test_who_shares_the_cores(generation, settings):
    list(train(settings))
    assert side_by_side.workers(settings, generation, 7) == 2
    assert side_by_side.workers(settings, generation, 1) == 1
    assert side_by_side.workers(over(settings, train__threads=2), generation, 7) == 1
    assert side_by_side.workers(over(settings, train__engine="caffe"), generation, 7) == 1
    assert side_by_side.workers(over(settings, train__device="cuda"), generation, 7) == 1


def test_a_wish_to_stop_reaches_the_processes(tmp_path: Path):
    wished, stop, control = Control(), tmp_path / "stop", Control()
    watching = side_by_side._watching
    with watching(lambda: wished.stopping, stop.touch), watching(stop.exists, control.stop):
        assert not control.stopping
        wished.stop()
        end = time.monotonic() + 60
        while not control.stopping:
            assert time.monotonic() < end
            time.sleep(0.05)
