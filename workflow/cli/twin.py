"""wf twin."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from workflow.cli.options import Call, Gen, InspectOut, Snapshot
from workflow.cli.parameters import Argument, Option


def twin(
    call: Call,
    image: Annotated[Path, Argument(metavar="IMAGE", help="A picture file, usually a false positive.")],
    class_name: Annotated[
        str | None, Option("--class", metavar="CLASS", help="The class (default: the predicted class).")
    ] = None,
    blob: Annotated[
        str | None,
        Option(
            "--blob",
            metavar="NAME",
            help="Test the channels of this blob (default: where it starts to look like the class).",
        ),
    ] = None,
    snapshot: Snapshot = None,
    gen: Gen = None,
    out: InspectOut = None,
    show: Annotated[bool, Option("--show", help="Open the picture.")] = False,
) -> None:
    """Find out why a false positive looks like its class.

    The picture is changed in simple ways (without a colour, a third covered, grey, mirrored, blurred) to see which
    change alters the answer. Then it is compared with the most similar true positive and with the mean of the class:
    the layer where it starts to look like the class, the channels responsible, and the parts of the picture that it
    depends on.

    wf twin false.png
    wf twin false.png --snapshot gen4/best --blob conv3
    """
    chosen = call.project().snapshot(snapshot, gen=gen)
    with call.counting("looking at the training set", "pictures") as progress:
        found = chosen.twin(image, class_name=class_name, blob=blob, progress=progress)
    call.give(found, out, show=show)
