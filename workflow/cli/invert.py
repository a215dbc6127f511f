"""wf invert."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from workflow.cli.options import Call, InspectOut, Which
from workflow.cli.parameters import Argument, Option


def invert(
    call: Call,
    which: Which,
    image: Annotated[Path, Argument(metavar="IMAGE", help="A picture file.")],
    blob: Annotated[
        list[str] | None,
        Option(
            "--blob",
            metavar="NAME",
            help="Reconstruct from this blob; repeatable (default: each convolution, the last pooling and the first "
            "flat blob).",
        ),
    ] = None,
    decoder: Annotated[
        bool,
        Option("--decoder", help="Train missing decoders (a minute or two each) and keep them."),
    ] = False,
    steps: Annotated[int | None, Option("--steps", metavar="N", min=1, help="Steps of the optimisation.")] = None,
    out: InspectOut = None,
    show: Annotated[bool, Option("--show", help="Open the picture.")] = False,
) -> None:
    """Reconstruct a picture from the activations of each layer.

    By optimisation: pixels are changed until the blob has the same values. By a decoder: a small net trained on
    the generation's training pictures to reconstruct a picture from the blob.

    wf invert image.png
    wf invert image.png --blob pool3 --decoder
    """
    chosen = which.load(call.project())
    with call.counting("rebuilding", "steps") as progress:
        found = chosen.invert(image, blobs=blob or (), train_decoders=decoder, steps=steps, progress=progress)
    call.give(found, out, show=show)
