"""wf next."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workflow.cli.options import Call, EvaluationOut, Gen
from workflow.cli.progress import Counter
from workflow.cli.viewer import show_pictures
from workflow.errors import UsageError

if TYPE_CHECKING:
    pass


def next(  # the command's name is the function's
    call: Call,
    folder: Annotated[Path | None, typer.Argument(metavar="FOLDER", help="Folder of unlabelled pictures.")] = None,
    count: Annotated[int, typer.Option("--count", metavar="N", min=1, help="Number of pictures to choose.")] = 50,
    gen: Gen = None,
    out: EvaluationOut = None,
    apply: Annotated[
        Path | None,
        typer.Option("--apply", metavar="FILE", help="Copy the pictures decided in next.csv to their classes."),
    ] = None,
    show: Annotated[bool, typer.Option("--show", help="Open the contact sheets.")] = False,
) -> None:
    """Choose which unlabelled pictures to label next.

    Pictures that are in a generation already and near-duplicates are left out; each predicted class gets an equal
    share. Writes next.csv and a contact sheet numbered like its rows. Fill in the column `decision`: accept (the
    suggested class), refuse, or the name of a class. --apply copies the pictures to images/CLASS.

    wf next incoming/ --count 50
    wf next --apply next.csv
    """
    if apply is not None:
        if folder is not None:
            raise UsageError("FOLDER and --apply: one at a time")
        _apply(call, apply)
        return
    if folder is None:
        raise UsageError("missing argument 'FOLDER'", hint="wf next --help")
    from workflow.curation.labelling import check_free
    from workflow.curation.next import choose, write_csv  # numpy, scipy and Pillow, which --help does not need
    from workflow.report.contact_sheet import write_sheets
    from workflow.report.next import describe

    settings = call.settings()
    with Counter(call.console, "looking", "pictures") as progress:
        found = choose(settings, folder, count=count, number=gen, progress=progress)
    target = out or found.target
    listing = target / "next.csv"
    check_free(listing)
    write_csv(listing, found)
    entries = [(one.path, f"{row}. {one.caption}") for row, one in enumerate(found.candidates, start=1)]
    sheets = write_sheets(entries, target / "next.png", max_pixels=settings.prepare.max_pixels)
    call.console.result(found.json() | {"csv": listing, "sheets": sheets}, describe(found, [listing, *sheets]))
    call.console.skipped(found.skipped)
    if show:
        show_pictures(call.console, sheets)


def _apply(call: Call, table: Path) -> None:
    from workflow.curation.labelling import apply  # numpy, which --help does not need
    from workflow.report.next import describe_applied

    done = apply(call.settings(), table)
    call.console.result(done.json(), describe_applied(done, table))
    call.console.skipped(done.skipped)
