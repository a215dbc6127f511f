"""Snapshots of the best test passes, and an end once none gets better."""

from __future__ import annotations

import math

import pytest
from overriding import over
from three_generations import settings

from workflow.config import Config
from workflow.engines.base import Control, Done, Output, Snapshot, Validation
from workflow.errors import UsageError
from workflow.formats.prototxt import read_solver
from workflow.generations import Generation
from workflow.report.training import describe
from workflow.training import summary, train
from workflow.training.keeper import Keeper


def passed(iteration: int, accuracy: float, loss: float = 1.0) -> Validation:
    outputs = (
        Output(index=0, name="accuracy", value=accuracy),
        Output(index=1, name="loss", value=loss, loss_weight=1),
    )
    return Validation(iteration=iteration, net=0, outputs=outputs)


def test_it_counts_the_passes_that_are_no_better():
    keeper = Keeper(Control(), patience=2, snapshots=False)
    stopping = []
    for event in (
        passed(0, 0.9),  # the untrained net
        passed(10, 0.5),
        passed(20, 0.5, 0.9),  # as accurate, and a lower loss
        passed(30, 0.5, 0.9),
        passed(40, 0.6, 3.0),  # the loss does not matter where the accuracy is higher
        passed(50, 0.6, math.nan),
        passed(60, 0.5),
    ):
        keeper.see(event)
        stopping.append(keeper.stopping)
    assert stopping == [False] * 6 + [True]
    keeper.see(Done(iteration=60, loss=None, stopped=True))
    assert (keeper.lost_patience, keeper.ended_it) == (2, True)


def test_each_best_pass_gets_a_snapshot_unless_there_is_one():
    keeper = Keeper(Control(), patience=None, snapshots=True)
    wished = []
    for event in (passed(0, 0.9), passed(10, 0.5), passed(20, 0.5), passed(30, 0.7)):
        keeper.see(event)
        wished.append(keeper.take_snapshot_wish())
    assert wished == [False, True, False, True]
    keeper.see(Snapshot(iteration=40, model="m", state="s"))
    keeper.see(passed(40, 0.8))
    assert not keeper.take_snapshot_wish()


def test_the_users_wishes_reach_the_run():
    outer = Control()
    keeper = Keeper(outer, patience=1, snapshots=False)
    outer.snapshot()
    assert (keeper.take_snapshot_wish(), keeper.take_snapshot_wish()) == (True, False)
    outer.stop()
    assert keeper.stopping
    keeper.see(Done(iteration=1, loss=None, stopped=True))
    assert not keeper.ended_it


@pytest.fixture
def still(validated: Generation) -> Generation:
    """A generation whose solver tests every second iteration and learns nothing."""
    path = settings().train.solver
    text = path.read_text().replace("base_lr: 0.02", "base_lr: 0").replace("test_interval: 10", "test_interval: 2")
    path.write_text(text)
    return validated


@pytest.mark.parametrize(
    ("engine", "end", "snapshots"), [("torch", 8, [2, 8]), pytest.param("caffe", 9, [9], marks=pytest.mark.caffe)]
)
def test_a_run_ends_when_it_gets_no_better(still, engine, end, snapshots, caplog):
    patient = over(settings(), train__engine=engine, train__patience=3)
    events = list(train(patient))
    assert events[-1] == Done(iteration=end, loss=None, stopped=False)
    record = still.read()
    assert [one.iteration for one in record.snapshots] == snapshots
    assert (record.ended_at, record.training.iterations, record.training.lost_patience) == (end, end, 3)
    assert record.best.test_accuracy is not None
    if engine == "torch":  # equal passes: the earlier one is the best
        assert (record.best.iteration, record.best.validation_accuracy) == (2, record.training.validation_accuracy)
    assert read_solver(still.prototxt("solver")).max_iter == 20
    assert "ended before max_iter: no better validation accuracy in 3 test passes" in describe(summary(Config(), None))
    list(train(patient))
    assert "the last test passes of generation 1 were no better" in caplog.text
    list(train(over(settings(), train__engine=engine)))
    assert (still.read().ended_at, still.read().training.lost_patience) == (20, None)


def test_without_test_passes_there_is_nothing_to_wait_for(validated):
    path = settings().train.solver
    path.write_text(path.read_text().replace("test_interval: 10", "test_interval: 0"))
    with pytest.raises(UsageError, match=r"train.patience needs test passes, but the solver has no test_interval"):
        list(train(over(settings(), train__patience=3)))
