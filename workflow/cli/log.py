"""wf log."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from workflow.cli.options import Call
from workflow.cli.parameters import Option


def log(
    call: Call,
    exam: Annotated[
        str | None,
        Option(
            "--exam",
            metavar="GEN",
            help="Compare all on this generation's test set (default: the newest's; own: each on its own).",
        ),
    ] = None,
    out: Annotated[
        Path | None, Option("--out", metavar="DIR", help="Folder for trend.png (default: generations/).")
    ] = None,
    show: Annotated[bool, Option("--show", help="Open the trend picture.")] = False,
) -> None:
    """List the generations and what each one changed.

    Accuracies on different test sets cannot be compared, so the best snapshot of each generation is evaluated on
    the same one.

    wf log
    wf log --exam gen5 --show
    """
    with call.counting("evaluating", "pictures") as progress:
        found = call.project().log(exam=exam, progress=progress)
    call.give(found, out, show=show)
