"""wf train --seeds: several runs that differ in nothing but the seed, interrupted and gone on with."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec import structs
from overriding import over
from small_net import edit, make_generation

from workflow.config import Config
from workflow.engines.base import Control, Note, Started, Step
from workflow.errors import UsageError
from workflow.evaluation.seed_spread import comparable_reruns, recipe, recorded_band
from workflow.generations import resolve
from workflow.training import summary, train, train_seeds

ROOT = Path("generations")
SOLVER = Path("prototxt/small_solver.prototxt")


def models(generation) -> dict[str, bytes]:
    """Run -> its last weights."""
    runs = [generation, *generation.reruns]
    return {run.name: (run.folder / run.read().latest.model).read_bytes() for run in runs}


def test_three_seeds(generation, settings):
    events = list(train_seeds(settings, seeds=3))
    assert [event.text for event in events if isinstance(event, Note)] == ["seed 6, run 2 of 3", "seed 7, run 3 of 3"]
    assert [run.name for run in generation.reruns] == ["gen1/seed_6", "gen1/seed_7"]
    found = models(generation)
    assert len(set(found.values())) == 3
    rerun = generation.reruns[0]
    assert [one.iteration for one in rerun.read().snapshots] == [10, 20]
    assert rerun.read().training.random_seed == 6
    assert (rerun.logs / "train.log").is_file()
    text = rerun.prototxt("solver").read_text()
    assert 'snapshot_prefix: "generations/gen1/seeds/seed_6/snapshots/small"' in text
    assert "random_seed: 6" in text
    assert comparable_reruns(generation) == generation.reruns
    told = summary(Config(), 1)
    assert [one["seed"] for one in told["seeds"]] == [5, 6, 7]
    assert told["band"] == recorded_band(generation).json()
    assert set(told["band"]["values"]) == set(found)
    assert resolve(Config(), "gen1/seed_6/iter_20").weights == rerun.folder / rerun.read().latest.model
    assert resolve(Config(), str(rerun.folder / rerun.read().latest.model)).name == "gen1/seed_6/iter_20"


def test_a_rerun_has_the_bytes_of_a_run_with_its_seed(generation, settings):
    list(train(settings, seed=6))
    alone = models(generation)["gen1"]
    list(train_seeds(settings, seeds=2, fresh=True))
    assert models(generation)["gen1"] != alone
    assert models(generation)["gen1/seed_6"] == alone


def test_what_is_complete_is_left_as_it_is(generation, settings, caplog):
    list(train_seeds(settings, seeds=1))
    before = models(generation)["gen1"]
    assert "seeds" not in summary(Config(), 1)
    assert recorded_band(generation) is None
    events = list(train_seeds(settings, seeds=2))
    assert len([event for event in events if isinstance(event, Step)]) == 20  # one run
    assert models(generation)["gen1"] == before
    assert "nothing to do" not in caplog.text


def test_an_interrupted_rerun_is_gone_on_with(generation, settings):
    list(train_seeds(settings, seeds=2))
    straight = models(generation)
    control, notes = Control(), 0
    for event in train_seeds(settings, seeds=2, fresh=True, control=control):
        notes += isinstance(event, Note)
        if isinstance(event, Step) and notes == 1 and event.iteration == 13:
            control.stop()
    assert generation.reruns[0].read().latest.iteration == 14
    assert comparable_reruns(generation) == []
    events = list(train_seeds(settings, seeds=2))
    assert [event.iteration for event in events if isinstance(event, Started)] == [20, 14]
    assert models(generation) == straight


def test_a_stopped_first_run_begins_no_other(generation, settings):
    control = Control()
    for event in train_seeds(settings, seeds=3, control=control):
        if isinstance(event, Step) and event.iteration == 4:
            control.stop()
    assert generation.read().latest.iteration == 5
    assert generation.reruns == []


def test_more_iterations_for_all(generation, settings):
    list(train_seeds(settings, seeds=2, max_iter=10))
    events = list(train_seeds(settings, seeds=2, max_iter=20))
    assert [event.iteration for event in events if isinstance(event, Started)] == [10, 10]
    assert comparable_reruns(generation) == generation.reruns


def test_runs_that_lost_patience_are_each_trained_to_their_own_end(generation, settings):
    list(train_seeds(settings, seeds=2))
    (rerun,) = generation.reruns
    record = rerun.read()
    facts = {"iterations": 10, "ended_at": 10}
    for lost, comparable in ((3, [rerun]), (None, [])):
        training = record.training.updated(facts | {"lost_patience": lost})
        rerun.write(structs.replace(record, snapshots=record.snapshots[:1], training=training))
        assert comparable_reruns(generation) == comparable


def test_reruns_are_as_the_first_run_was(generation, settings):
    list(train(settings, max_iter=10, seed=40))
    text = SOLVER.read_text()
    list(train_seeds(over(settings, train__precision="bfloat16"), seeds=2, max_iter=10))
    assert SOLVER.read_text() == text
    assert generation.reruns[0].seed == 41
    assert generation.reruns[0].read().training.precision == "float32"


def test_a_solver_that_changed_since_is_told(generation, settings, caplog):
    list(train_seeds(settings, seeds=1, max_iter=10))
    edit(SOLVER, "base_lr: 0.02", "base_lr: 0.01")
    list(train_seeds(settings, seeds=2, max_iter=20))
    assert "differs from the others in more than the seed" in caplog.text


def test_a_solver_that_changed_after_the_first_run_was_done_changes_no_rerun(generation, settings):
    list(train_seeds(settings, seeds=1, max_iter=10))
    edit(SOLVER, "base_lr: 0.02", "base_lr: 0.01")
    list(train_seeds(settings, seeds=2, max_iter=10))
    assert recipe(generation.reruns[0]) == recipe(generation)


def test_weights_are_those_of_the_first_run(run, generation, project, settings):
    run(max_iter=10)
    other = make_generation(project, 2)
    other.write(structs.replace(other.read(), classes=("cross", "circle", "empty")))
    list(train(settings, weights=["gen1/best"], max_iter=10))
    events = list(train_seeds(settings, seeds=2, max_iter=10))
    assert [event.text for event in events if isinstance(event, Note)] == [
        "seed 6, run 2 of 2",
        "gen1/iter_10 for these classes: layer 'ip': kept 'cross', 'circle', 'empty'",
    ]
    assert other.reruns[0].read().training.weights == other.read().training.weights


def test_wrong_numbers(generation, settings):
    with pytest.raises(UsageError, match="--seeds 0: expected at least 1"):
        list(train_seeds(settings, seeds=0))


@pytest.mark.caffe
def test_seeds_of_real_caffe(generation, settings):
    list(train_seeds(over(settings, train__engine="caffe"), seeds=2, max_iter=10))
    rerun = generation.reruns[0]
    assert rerun.read().snapshots[-1].engine == "caffe"
    assert rerun.read().training.engine == "caffe"
    assert comparable_reruns(generation) == [rerun]
