"""wf diff."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workflow.cli.options import Call, EvaluationOut
from workflow.cli.progress import Counter
from workflow.cli.viewer import show_pictures

if TYPE_CHECKING:
    pass


def diff(
    call: Call,
    before: Annotated[str, typer.Argument(metavar="BEFORE", help="gen4 (its best snapshot) or gen4/iter_6000.")],
    after: Annotated[str, typer.Argument(metavar="AFTER", help="gen5, gen5/iter_6000, or a .caffemodel of ours.")],
    exam: Annotated[
        str | None,
        typer.Option("--exam", metavar="GEN", help="Compare on this generation's test set (default: the newer one's)."),
    ] = None,
    folder: Annotated[
        Path | None, typer.Option("--folder", metavar="DIR", help="Use a labelled folder instead.")
    ] = None,
    history: Annotated[
        bool,
        typer.Option(
            "--history/--no-history", help="Look in all generations for pictures that changed more than once."
        ),
    ] = True,
    out: EvaluationOut = None,
    show: Annotated[bool, typer.Option("--show", help="Open the contact sheet.")] = False,
) -> None:
    """Compare two snapshots: what is fixed, broken, still wrong.

    Pictures that either snapshot was trained on are left out.

    wf diff gen4 gen5
    wf diff gen4/iter_6000 gen5/iter_6000 --exam gen4
    """
    from workflow.evaluation.diff import diff as compare
    from workflow.report.diff import describe, write_diff  # numpy and Pillow, which --help does not need

    settings = call.settings()
    with Counter(call.console, "evaluating", "pictures") as progress:
        found = compare(settings, before, after, exam=exam, folder=folder, history=history, progress=progress)
    target = out or found.folder
    files: Mapping[str, Path] = {}
    if target is not None:
        files = write_diff(target, found, max_pixels=settings.prepare.max_pixels)
    call.console.result(found.json() | {"files": files}, describe(found, files))
    if show and files:
        show_pictures(call.console, [files["sheet"]])
