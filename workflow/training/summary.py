"""The summary of a training run."""

from __future__ import annotations

from typing import Any

from workflow.config import Config
from workflow.evaluation.metrics import constant_answer
from workflow.generations import existing
from workflow.training import seeds
from workflow.training.course import Course, course


def summary(config: Config, number: int | None) -> dict[str, Any]:
    """The facts of a generation's training, from its record.

    Returns:
        generation, engine, iterations, snapshots ([{iteration, path, test_accuracy}]), test_accuracy and test_loss
        (of the last test pass of the run, 0..1 and nats; None before the first, and that of the untrained net is
        none), tested_at (the iteration of that pass), always ({class, accuracy, words} of the best constant answer),
        best ({iteration, test_accuracy, test_loss, snapshot} of the best pass: whether there is a snapshot of it),
        best_snapshot (`iter_1000`), grown (see `course.Growth`), seconds,
        seconds_per_iteration; and where it was trained with several seeds, what `seeds.facts` gives.
    """
    generation = existing(config, number)
    record = generation.read()
    training = record.training
    went = course(generation.logs / "metrics.jsonl")
    always = constant_answer(record.counts["test"])
    return {
        "generation": generation.number,
        "engine": training.engine,
        "iterations": seeds.iterations(record),
        "snapshots": [
            {
                "iteration": one.iteration,
                "path": (generation.folder / one.model).as_posix(),
                "test_accuracy": one.test_accuracy,
            }
            for one in record.snapshots
        ],
        "test_accuracy": training.test_accuracy,
        "test_loss": training.test_loss,
        "tested_at": training.tested_at,
        "always": None if always is None else always.json(),
        "best": _best(went, {one.iteration for one in record.snapshots}),
        "best_snapshot": None if record.best is None else f"iter_{record.best.iteration}",
        "grown": None if went.growth is None else went.growth.json() | {"words": went.growth.words},
        "seconds": training.seconds,
        "seconds_per_iteration": training.seconds_per_iteration,
        **seeds.facts(generation),
    }


def _best(went: Course, snapshots: set[int]) -> dict[str, Any] | None:
    if went.best is None:
        return None
    iteration, accuracy, loss = went.best
    return {
        "iteration": iteration,
        "test_accuracy": accuracy,
        "test_loss": loss,
        "snapshot": iteration in snapshots,
    }
