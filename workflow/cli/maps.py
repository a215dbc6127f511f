"""wf maps."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from workflow.cli.options import Call, InspectOut, Which
from workflow.cli.parameters import Argument, Option


def maps(
    call: Call,
    which: Which,
    image: Annotated[Path, Argument(metavar="IMAGE", help="A picture file.")],
    method: Annotated[
        list[str] | None,
        Option(
            "--method",
            metavar="NAME",
            help="saliency, guided-backpropagation, deconvolution, smoothgrad, integrated-gradients, grad-cam or "
            "occlusion; repeatable (default: all).",
        ),
    ] = None,
    class_name: Annotated[
        str | None,
        Option("--class", metavar="CLASS", help="The class to explain (default: the predicted class)."),
    ] = None,
    unit: Annotated[
        str | None,
        Option("--unit", metavar="BLOB:CHANNEL", help="Explain a unit instead of a class: conv3:17 or conv3:17,2,3."),
    ] = None,
    layer: Annotated[
        str | None,
        Option(
            "--layer",
            metavar="BLOB",
            help="Layer for Grad-CAM (default: the last blob before the target that has height and width).",
        ),
    ] = None,
    out: InspectOut = None,
    show: Annotated[bool, Option("--show", help="Open the picture.")] = False,
) -> None:
    """Show which parts of a picture matter for a class.

    Each map is tested: the most important pixels are covered first (deletion: a smaller area under the curve of
    the probability is better) or restored first (insertion: a larger area is better).

    wf maps image.png
    wf maps image.png --class cat --method grad-cam --layer conv2
    wf maps image.png --unit conv3:17
    """
    chosen = which.load(call.project())
    with call.counting("mapping", "maps") as progress:
        found = chosen.maps(
            image, methods=method or (), class_name=class_name, unit=unit, layer=layer, progress=progress
        )
    call.give(found, out, show=show)
