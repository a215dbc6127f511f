"""wf why."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from workflow.cli.options import Call, Engine, InspectOut, Which
from workflow.cli.parameters import Argument, Option


def why(
    call: Call,
    which: Which,
    image: Annotated[Path, Argument(metavar="IMAGE", help="A picture file.")],
    label: Annotated[
        str | None,
        Option("--class", metavar="CLASS", help="The class to explain (default: the predicted class)."),
    ] = None,
    against: Annotated[
        str | None,
        Option("--against", metavar="CLASS", help="The class to compare it with (default: the second most probable)."),
    ] = None,
    nearest: Annotated[
        int, Option("--nearest", metavar="N", min=0, help="Number of nearest training pictures to list.")
    ] = 8,
    metric: Annotated[Literal["l2", "cosine"], Option("--metric", help="Distance measure.")] = "l2",
    out: InspectOut = None,
    show: Annotated[bool, Option("--show", help="Open the picture.")] = False,
    engine: Engine = None,
) -> None:
    """Explain the score of one picture, cell by cell.

    Also lists the training pictures that the net finds most similar, and the generation that added each of them.
    The first call for a snapshot runs all training pictures through it once.

    wf why image.png
    wf why image.png --snapshot gen4/best --class cat --against other
    """
    chosen = which.load(call.project())
    with call.counting("looking at the training set", "pictures") as progress:
        found = chosen.why(
            image,
            class_name=label,
            against=against,
            nearest=nearest,
            metric=metric,
            engine=engine,
            progress=progress,
        )
    call.give(found, out, show=show)
