"""wf report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from workflow.cli.options import Call, Gen
from workflow.cli.parameters import Option


def report(
    call: Call,
    gen: Gen = None,
    out: Annotated[
        Path | None,
        Option("--out", metavar="FILE", help="The HTML file (default: report.html in the generation's folder)."),
    ] = None,
) -> None:
    """Write everything about a generation on one HTML page.

    Data, curves, confusion matrix, mistakes with what the net saw in them, the difference to the parent
    generation, and the results of wf junk and wf suspects if there are any. The same facts are written beside it
    as JSON.

    wf report
    wf report --gen 4 --out gen4.html
    """
    with call.counting("evaluating", "pictures") as progress:
        found = call.project().report(gen, out, progress=progress)
    call.give(found)
