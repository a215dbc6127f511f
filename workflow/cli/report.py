"""wf report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workflow.cli.options import Call, Gen
from workflow.cli.progress import Counter


def report(
    call: Call,
    gen: Gen = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="The HTML file (default: report.html in the generation's folder)."),
    ] = None,
) -> None:
    """Write everything about a generation on one HTML page.

    Data, curves, confusion matrix, mistakes with what the net saw in them, the difference to the parent
    generation, and the results of wf junk and wf suspects if there are any. The same facts are written beside it
    as JSON.

    wf report
    wf report --gen 4 --out gen4.html
    """
    from workflow.report.facts import gather  # numpy, matplotlib, Jinja, which --help does not need
    from workflow.report.page import write_page

    with Counter(call.console, "evaluating", "pictures") as progress:
        found = gather(call.settings(), gen, progress=progress)
    path = write_page(found.facts, found.pictures, out or found.path)
    call.console.result({"path": str(path), "facts": str(path.with_suffix(".json"))} | found.facts, str(path))
