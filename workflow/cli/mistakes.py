"""wf mistakes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workflow.cli.options import Call, Engine, EvaluationOut, Fresh, Which
from workflow.cli.progress import Counter
from workflow.cli.viewer import show_pictures

if TYPE_CHECKING:
    pass


def mistakes(
    call: Call,
    which: Which,
    folder: Annotated[
        Path | None, typer.Argument(metavar="FOLDER", help="Pictures in class folders (default: the test set).")
    ] = None,
    cell: Annotated[
        str | None,
        typer.Option(
            "--cell", metavar="TRUE:PREDICTED", help="Only this cell of the confusion matrix, such as cat:dog."
        ),
    ] = None,
    top: Annotated[int, typer.Option("--top", metavar="N", min=1, help="How many to draw.")] = 100,
    out: EvaluationOut = None,
    fresh: Fresh = False,
    show: Annotated[bool, typer.Option("--show", help="Open the contact sheets.")] = False,
    engine: Engine = None,
) -> None:
    """Show the wrong answers, most confident first.

    Draws a contact sheet and makes a folder of links to the pictures, with a sub-folder for each cell of the
    confusion matrix.

    wf mistakes
    wf mistakes --snapshot gen4/best --cell cat:dog --top 30
    """
    from workflow.evaluation import links
    from workflow.evaluation import mistakes as wrong
    from workflow.exams import cache
    from workflow.exams import exam as exams  # numpy and Pillow, which --help does not need
    from workflow.report import contact_sheet
    from workflow.report.mistakes import describe

    settings = call.settings()
    model = which.load(settings)
    exam = exams.asked(settings, model, folder=folder, number=which.gen)
    target = out or cache.folder(model, exam)
    with Counter(call.console, "evaluating", "pictures") as progress:
        answers = cache.answers(model, exam, fresh=fresh or engine is not None, engine=engine, progress=progress)
    chosen = None if cell is None else wrong.parse_cell(cell, answers.classes)
    found = links.write_links(target / "mistakes", wrong.mistakes(answers))
    gone = sum(one.link is None for one in found.mistakes)
    if chosen is not None:
        found = found.within(chosen)
    name = "mistakes" if chosen is None else f"mistakes-{links.cell_name(chosen)}"
    drawn = [(one.path, one.caption) for one in found.mistakes[:top]]
    sheets = contact_sheet.write_sheets(drawn, target / f"{name}.png", max_pixels=model.max_pixels)
    call.console.result(
        found.json() | {"sheets": sheets, "folder": target / "mistakes"}, describe(found, sheets, target / "mistakes")
    )
    call.console.skipped(answers.skipped)
    if gone:
        call.console.warn(f"{gone:,} of the wrong pictures are not where they were; they have no link")
    if show:
        show_pictures(call.console, sheets)
