"""wf evaluate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workflow.cli.options import Call, Engine, EvaluationOut, Fresh, Which
from workflow.cli.progress import Counter

if TYPE_CHECKING:
    pass


def evaluate(
    call: Call,
    which: Which,
    folder: Annotated[
        Path | None, typer.Argument(metavar="FOLDER", help="Pictures in class folders (default: the test set).")
    ] = None,
    min_accuracy: Annotated[
        float | None,
        typer.Option("--min-accuracy", metavar="X", min=0, max=1, help="Exit with code 1 if the accuracy is lower."),
    ] = None,
    out: EvaluationOut = None,
    fresh: Fresh = False,
    engine: Engine = None,
) -> None:
    """Evaluate a snapshot: accuracy, confusion matrix, calibration.

    wf evaluate
    wf evaluate labelled/ --snapshot gen4/best --min-accuracy 0.9
    """
    from workflow.evaluation.evaluate import evaluate as put
    from workflow.evaluation.evaluate import write
    from workflow.exams import cache
    from workflow.exams import exam as exams  # numpy, Pillow and matplotlib, which --help does not need
    from workflow.report.confusion import draw_confusion
    from workflow.report.evaluation import describe

    settings = call.settings()
    model = which.load(settings)
    exam = exams.asked(settings, model, folder=folder, number=which.gen)
    target = out or cache.folder(model, exam)
    with Counter(call.console, "evaluating", "pictures") as progress:
        found = put(model, exam, fresh=fresh or engine is not None, engine=engine, progress=progress)
    found = write(target, found)
    picture = target / "confusion.png"
    draw_confusion(found.confusion, found.answers.classes, picture, title=f"{model.name} on {exam.name}")
    call.console.result(found.json() | {"pictures": {"confusion": picture}}, describe(found, {"confusion": picture}))
    call.console.skipped(found.answers.skipped)
    if min_accuracy is not None:
        found.require(min_accuracy)
