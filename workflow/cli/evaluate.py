"""wf evaluate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from workflow.cli.options import Call, Engine, EvaluationOut, Fresh, Which
from workflow.cli.parameters import Argument, Option


def evaluate(
    call: Call,
    which: Which,
    folder: Annotated[
        Path | None, Argument(metavar="FOLDER", help="Pictures in class folders (default: the test set).")
    ] = None,
    min_accuracy: Annotated[
        float | None,
        Option("--min-accuracy", metavar="X", min=0, max=1, help="Exit with code 1 if the accuracy is lower."),
    ] = None,
    part: Annotated[Literal["test", "validation"], Option("--part", help="Which pictures of the generation.")] = "test",
    out: EvaluationOut = None,
    fresh: Fresh = False,
    engine: Engine = None,
) -> None:
    """Evaluate a snapshot: accuracy, confusion matrix, calibration.

    wf evaluate
    wf evaluate labelled/ --snapshot gen4/best --min-accuracy 0.9
    """
    chosen = which.load(call.project())
    chosen.check_place(out)
    with call.counting("evaluating", "pictures") as progress:
        found = chosen.evaluate(folder, gen=which.gen, part=part, fresh=fresh, engine=engine, progress=progress)
    call.give(found, out)
    call.console.skipped(found.answers.skipped)
    if min_accuracy is not None:
        found.require(min_accuracy)
