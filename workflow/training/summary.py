"""The summary of a training run."""

from __future__ import annotations

from typing import Any

from workflow.config import Config
from workflow.evaluation.history import accuracies
from workflow.evaluation.metrics import constant_answer
from workflow.evaluation.result import Score
from workflow.generations import Record, SnapshotRecord, existing
from workflow.training import seeds
from workflow.training.course import Course, course


def summary(config: Config, number: int | None) -> dict[str, Any]:
    """The facts of a generation's training, from its record.

    Returns:
        generation, engine, iterations; solver_split (`validation` or `test`: the pictures that the solver's test
        passes look at), snapshots ([{iteration, path, test_accuracy}], and validation_accuracy where there are
        validation pictures); accuracy and loss (of the last pass of the run, 0..1 and nats; None before the first,
        and that of the untrained net is none), balanced_accuracy (of the same pass: the mean of the classes' recalls;
        None where real Caffe trained), lost_patience (test passes without a better one, where they ended the
        run), tested_at (the iteration of that pass), always ({class, accuracy,
        words} of the best constant answer to it), best ({iteration, accuracy, loss, snapshot} of the best pass:
        whether there is a snapshot of it), best_snapshot (`iter_1000`), test_accuracy and test_loss (of the last pass
        where that looks at the test pictures; else of the best snapshot when the training ended, its loss not
        known), test ({accuracy, interval, count, correct} of the best snapshot on the test pictures, None before it
        was shown them), chosen_by_test (whether that chose it, which flatters it), grown (see `course.Growth`),
        warnings (sentences about what was wrong with the run), seconds, seconds_per_iteration; and where it was trained
        with several seeds, what `seeds.facts` gives.
    """
    generation = existing(config, number)
    record = generation.read()
    training = record.training
    went = course(generation.logs / "metrics.jsonl")
    always = constant_answer(record.counts[record.solver_split])
    best = record.best
    of_solver = training if record.solver_split == "test" else best
    return {
        "generation": generation.number,
        "engine": training.engine,
        "iterations": seeds.iterations(record),
        "solver_split": record.solver_split,
        "snapshots": [
            {"iteration": one.iteration, "path": (generation.folder / one.model).as_posix()} | accuracies(record, one)
            for one in record.snapshots
        ],
        "accuracy": getattr(training, f"{record.solver_split}_accuracy"),
        "loss": getattr(training, f"{record.solver_split}_loss"),
        "test_accuracy": None if of_solver is None else of_solver.test_accuracy,
        "test_loss": None if of_solver is None else of_solver.test_loss,
        "test": None if best is None else _on_test(record, best),
        "chosen_by_test": record.chosen_by_test,
        "lost_patience": training.lost_patience,
        "balanced_accuracy": training.balanced_accuracy,
        "tested_at": training.tested_at,
        "always": None if always is None else always.json(),
        "best": _best(went, {one.iteration for one in record.snapshots}),
        "best_snapshot": None if best is None else f"iter_{best.iteration}",
        "grown": None if went.growth is None else went.growth.json() | {"words": went.growth.words},
        "warnings": list(training.warnings),
        "seconds": training.seconds,
        "seconds_per_iteration": training.seconds_per_iteration,
        **seeds.facts(generation),
    }


def _best(went: Course, snapshots: set[int]) -> dict[str, Any] | None:
    if went.best is None:
        return None
    iteration, accuracy, loss = went.best
    return {"iteration": iteration, "accuracy": accuracy, "loss": loss, "snapshot": iteration in snapshots}


def _on_test(record: Record, best: SnapshotRecord) -> dict[str, Any] | None:
    if best.test_accuracy is None:
        return None
    count = sum(record.counts["test"].values())
    return Score(correct=round(best.test_accuracy * count), count=count).json()
