"""wf mistakes."""

from __future__ import annotations

from typing import Annotated

from workflow.cli.options import Call, Engine, EvaluationOut, Fresh, Which
from workflow.cli.parameters import Argument, Option
from workflow.paths import PathOrAddress


def mistakes(
    call: Call,
    which: Which,
    folder: Annotated[
        PathOrAddress | None,
        Argument(metavar="FOLDER", help="Pictures in class folders (default: the test set)."),
    ] = None,
    cell: Annotated[
        str | None,
        Option("--cell", metavar="TRUE:PREDICTED", help="Only this cell of the confusion matrix, such as cat:dog."),
    ] = None,
    top: Annotated[int, Option("--top", metavar="N", min=1, help="Number of pictures to draw.")] = 100,
    out: EvaluationOut = None,
    fresh: Fresh = False,
    show: Annotated[bool, Option("--show", help="Open the contact sheets.")] = False,
    engine: Engine = None,
) -> None:
    """Show the wrong answers, most confident first.

    Draws a contact sheet and makes a folder of links to the pictures, with a sub-folder for each cell of the
    confusion matrix.

    wf mistakes
    wf mistakes --snapshot gen4/best --cell cat:dog --top 30
    """
    chosen = which.load(call.project())
    chosen.check_place(out)
    with call.counting("evaluating", "pictures") as progress:
        found = chosen.mistakes(
            folder, gen=which.gen, cell=cell, top=top, fresh=fresh, engine=engine, progress=progress
        )
    files = call.give(found, out, show=show)
    call.console.skipped(found.skipped)
    gone = sum(one["link"] is None for one in found.json(files)["mistakes"])
    if gone:
        call.console.warn(f"{gone:,} of the wrong pictures have been moved or deleted and get no link")
