"""wf log."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workflow.cli.options import Call
from workflow.cli.progress import Counter
from workflow.cli.viewer import show_pictures

if TYPE_CHECKING:
    from workflow.config import Config
    from workflow.generations import Generation


def log(
    call: Call,
    exam: Annotated[
        str | None,
        typer.Option(
            "--exam",
            metavar="GEN",
            help="Compare all on this generation's test set (default: the newest's; own: each on its own).",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Folder for trend.png (default: generations/).")
    ] = None,
    show: Annotated[bool, typer.Option("--show", help="Open the trend picture.")] = False,
) -> None:
    """List the generations and what each one changed.

    Accuracies on different test sets cannot be compared, so the best snapshot of each generation is evaluated on
    the same one.

    wf log
    wf log --exam gen5 --show
    """
    from workflow.evaluation.history import chain  # numpy and matplotlib, which --help does not need
    from workflow.report.trend import describe, draw_trend

    settings = call.settings()
    with Counter(call.console, "evaluating", "pictures") as progress:
        posed = _posed(settings, exam)
        entries = chain(settings, exam=posed, progress=progress)
    picture = (out or settings.generations) / "trend.png"
    draw_trend(entries, picture, exam=posed.name if posed is not None else None)
    document = {
        "generations": [one.json() for one in entries],
        "exam": posed.name if posed is not None else None,
        "trend": picture,
    }
    call.console.result(document, describe(entries, {"trend": picture}, exam=posed.name if posed is not None else None))
    if show:
        show_pictures(call.console, [picture])


def _posed(settings: Config, exam: str | None) -> Generation | None:
    """Whose test set all are compared on; None for nobody's."""
    from workflow.evaluation.history import newest_exam
    from workflow.exams.choice import named

    if exam is None:
        return newest_exam(settings)
    return None if exam == "own" else named(settings, exam)
