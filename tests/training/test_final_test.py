"""Validation pictures choose the snapshot; the test pictures are shown to it when the training ends."""

from __future__ import annotations

import json
import shutil

import pytest
from msgspec import structs
from overriding import over
from three_generations import settings

from workflow.config import Config
from workflow.data.prepare import prepare
from workflow.engines.base import Control, Step, Validation
from workflow.errors import UsageError
from workflow.evaluation.evaluate import evaluate
from workflow.exams import exam
from workflow.formats.prototxt import read_net, read_solver
from workflow.generations import existing, resolve
from workflow.models.loading import load
from workflow.report.training import describe
from workflow.training import as_run, summary, train


def test_the_nets_differ_in_nothing_but_the_source_of_the_test_passes(validated):
    record = validated.read()
    as_run.write(settings(), validated, record, max_iter=None, seed=None)
    net, solver = read_net(validated.prototxt("train_test")), read_solver(validated.prototxt("solver"))
    assert [layer.data_param.source for layer in net.layer if layer.type == "Data"] == [
        "generations/gen1/dataset/train_lmdb",
        "generations/gen1/dataset/val_lmdb",
    ]
    assert net.layer[1].data_param.batch_size * solver.test_iter[0] == 9
    without = structs.replace(record, counts={split: record.counts[split] for split in ("train", "test")})
    as_run.write(settings(), validated, without, max_iter=None, seed=None)
    plain = read_net(validated.prototxt("train_test"))
    assert plain.layer[1].data_param.source == "generations/gen1/dataset/test_lmdb"
    plain.layer[1].data_param.source = net.layer[1].data_param.source
    plain.layer[1].data_param.batch_size = net.layer[1].data_param.batch_size
    assert plain == net


@pytest.mark.parametrize("engine", ["torch", pytest.param("caffe", marks=pytest.mark.caffe)])
def test_the_test_pictures_are_shown_to_the_best_snapshot_alone_and_at_the_end(validated, engine):
    config = over(settings(), train__engine=engine)
    events = list(train(config))
    record = validated.read()
    said = {event.iteration: event.value("accuracy") for event in events if isinstance(event, Validation)}
    assert {one.iteration: one.validation_accuracy for one in record.snapshots} == {
        10: pytest.approx(said[10]),
        20: pytest.approx(said[20]),
    }
    rows = [json.loads(line) for line in (validated.logs / "metrics.jsonl").read_text().splitlines()]
    assert {row["kind"] for row in rows} == {"step", "validation"}
    assert (record.training.test_accuracy, record.training.validation_accuracy) == (None, pytest.approx(said[20]))
    (tested,) = (one for one in record.snapshots if one.test_accuracy is not None)
    assert tested == record.best
    best = load(config, snapshot="best")
    found = evaluate(best, exam.asked(config, best))
    assert tested.test_accuracy == pytest.approx(found.score.accuracy)
    assert (found.score.count, found.chosen_by_test) == (12, False)
    seen = evaluate(best, exam.asked(config, best, split="validation"))
    assert (seen.score.count, seen.recorded) == (9, tested.validation_accuracy)
    assert seen.score.accuracy == pytest.approx(tested.validation_accuracy)
    (row,) = (row for row in rows if row["kind"] == "validation" and row["iteration"] == tested.iteration)
    balanced = {"torch": pytest.approx(seen.balanced_accuracy), "caffe": None}[engine]
    assert row.get("balanced_accuracy") == balanced


def test_what_is_said_at_the_end(validated):
    list(train(settings()))
    facts, record = summary(Config(), None), validated.read()
    lines = describe(facts).splitlines()
    best = f"iter_{record.best.iteration}"
    assert lines[0].startswith("generation 1: 20 iterations, validation accuracy ")
    assert any(line.startswith("best at iteration ") and "validation accuracy" in line for line in lines)
    low, high = facts["test"]["interval"]
    assert (
        f"test accuracy of {best}: {facts['test_accuracy']:.4f}, 95 % interval {low:.4f} to {high:.4f} "
        in "\n".join(lines)
    )
    assert facts["test"]["count"] == 12
    assert not any("flatters" in line for line in lines)


def test_a_run_that_was_stopped_has_not_seen_the_test_pictures(validated):
    control = Control()
    for event in train(settings(), control=control):
        if isinstance(event, Step) and event.iteration == 12:
            control.stop()
    assert [one.test_accuracy for one in validated.read().snapshots] == [None, None]
    assert summary(Config(), None)["test"] is None
    list(train(settings()))
    assert validated.read().best.test_accuracy is not None


def test_best_is_chosen_by_validation(validated):
    list(train(settings()))
    record = validated.read()
    figures = ((0.5, 1.0), (0.9, 0.2))  # (validation, test)
    snapshots = tuple(
        structs.replace(one, validation_accuracy=validation, test_accuracy=test)
        for one, (validation, test) in zip(record.snapshots, figures, strict=True)
    )
    validated.write(structs.replace(record, snapshots=snapshots))
    assert resolve(Config(), "best").iteration == 20
    assert validated.read().chosen_by_test is False


def test_without_validation_pictures_the_choice_is_said(validated):
    shutil.rmtree("images/val")
    prepare(settings())
    list(train(settings()))
    record = existing(Config()).read()
    assert (record.number, record.solver_split, record.chosen_by_test) == (2, "test", True)
    assert "validation_accuracy" not in existing(Config()).record_path.read_text().partition('"snapshots"')[2]
    facts = summary(Config(), None)
    assert "which flatters it a little" in describe(facts)
    best = load(settings(), snapshot="best")
    assert evaluate(best, exam.asked(Config(), best)).chosen_by_test
    with pytest.raises(UsageError, match="gen2 has no validation pictures"):
        exam.asked(Config(), best, split="validation")
