"""wf junk."""

from __future__ import annotations

from typing import Annotated

from workflow.cli.options import Call, Cluster, EvaluationOut, Gen
from workflow.cli.parameters import Argument, Option
from workflow.paths import PathOrAddress


def junk(
    call: Call,
    folder: Annotated[PathOrAddress, Argument(metavar="FOLDER", help="Folder or tar of unrelated pictures.")],
    class_name: Annotated[
        str | None,
        Option(
            "--class",
            metavar="NAME",
            help="Class whose false accepts are counted (default: all but 'other' and similar names).",
        ),
    ] = None,
    threshold: Annotated[
        float,
        Option(
            "--threshold",
            metavar="P",
            min=0,
            max=1,
            help="Current threshold: pictures with at least this probability are accepted.",
        ),
    ] = 0.5,
    max_rate: Annotated[
        float, Option("--max-rate", metavar="X", min=1e-6, max=1, help="Highest tolerated false-accept rate.")
    ] = 0.01,
    gen: Gen = None,
    out: EvaluationOut = None,
    cluster: Cluster = None,
    show: Annotated[bool, Option("--show", help="Open the pictures.")] = False,
) -> None:
    """Measure the false-accept rate on unrelated pictures.

    The best snapshot of every generation labels the folder. Shows the false-accept rate at each threshold, the
    threshold that keeps it below --max-rate, the recall left at that threshold, and the false accepts that the
    generation before did not make.

    wf junk junk/
    wf junk junk/ --class cat --max-rate 0.001
    """
    with call.counting("scoring", "pictures") as progress:
        found = call.project(cluster__address=cluster).junk(
            folder, class_name=class_name, threshold=threshold, max_rate=max_rate, gen=gen, progress=progress
        )
    call.give(found, out, show=show)
    call.console.skipped(found.skipped)
    for warning in found.warnings():
        call.console.warn(warning)
