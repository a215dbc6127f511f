"""wf evaluate."""

from __future__ import annotations

from typing import Annotated, Literal

import click

from workflow.cli.options import Call, Cluster, Engine, EvaluationOut, Fresh, Which
from workflow.cli.parameters import Argument, Option
from workflow.errors import UsageError
from workflow.paths import PathOrAddress


def evaluate(
    call: Call,
    which: Which,
    folder: Annotated[
        PathOrAddress | None,
        Argument(metavar="FOLDER", help="Pictures in class folders (default: the test set)."),
    ] = None,
    min_accuracy: Annotated[
        float | None,
        Option("--min-accuracy", metavar="X", min=0, max=1, help="Exit with code 1 if the accuracy is lower."),
    ] = None,
    part: Annotated[Literal["test", "validation"], Option("--part", help="Split to evaluate on.")] = "test",
    folds: Annotated[
        int | None,
        Option(
            "--folds",
            metavar="K",
            min=2,
            help="Train K nets, each on a different split, so that all pictures are tested.",
        ),
    ] = None,
    out: EvaluationOut = None,
    fresh: Fresh = False,
    cluster: Cluster = None,
    engine: Engine = None,
) -> None:
    """Evaluate a snapshot: accuracy, confusion matrix, calibration.

    wf evaluate
    wf evaluate labelled/ --snapshot gen4/best --min-accuracy 0.9
    wf evaluate --folds 5
    """
    if folds is not None:
        if folder is not None or which.snapshot is not None or part != "test":
            raise UsageError("--folds trains nets of its own: no FOLDER, --snapshot or --part beside it")
        _of_folds(call, folds, which.gen, fresh, min_accuracy)
        return
    chosen = which.load(call.project(cluster__address=cluster))
    chosen.check_place(out)
    with call.counting("evaluating", "pictures") as progress:
        found = chosen.evaluate(folder, gen=which.gen, part=part, fresh=fresh, engine=engine, progress=progress)
    call.give(found, out)
    call.console.skipped(found.answers.skipped)
    if min_accuracy is not None:
        found.require(min_accuracy)


def _of_folds(call: Call, folds: int, gen: int | None, fresh: bool, min_accuracy: float | None) -> None:
    from workflow.api.events import Control  # numpy and torch, which --help does not need
    from workflow.cli.progress import Training
    from workflow.cli.signals import obeyed

    project, control = call.project(), Control()
    with obeyed(control, call.console) as interruption, Training(call.console) as progress:
        found = project.folds(folds, gen=gen, fresh=fresh, progress=progress.see, control=control)
    if found is None:
        call.console.say(f"stopped; wf evaluate --folds {folds} resumes it")
        raise click.exceptions.Exit(interruption.exit_code)
    call.give(found)
    if min_accuracy is not None:
        found.score.require(min_accuracy, "more pictures, or another net")
