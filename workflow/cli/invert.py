"""wf invert."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workflow.cli.options import Call, InspectOut, Which
from workflow.cli.progress import Counter
from workflow.cli.viewer import show_pictures

if TYPE_CHECKING:
    pass


def invert(
    call: Call,
    which: Which,
    image: Annotated[Path, typer.Argument(metavar="IMAGE", help="A picture file.")],
    blob: Annotated[
        list[str] | None,
        typer.Option(
            "--blob",
            metavar="NAME",
            help="Rebuild from this blob; may be given several times (each convolution, the last pooling, the first "
            "flat blob).",
        ),
    ] = None,
    decoder: Annotated[
        bool,
        typer.Option("--decoder", help="Train missing decoders (a minute or two each) and keep them."),
    ] = False,
    steps: Annotated[int | None, typer.Option("--steps", metavar="N", min=1, help="Steps of the optimisation.")] = None,
    out: InspectOut = None,
    show: Annotated[bool, typer.Option("--show", help="Open the picture.")] = False,
) -> None:
    """Reconstruct a picture from the activations of each layer.

    By optimisation: pixels are changed until the blob has the same values. By a decoder: a small net trained on
    the generation's training pictures to reconstruct a picture from the blob.

    wf invert image.png
    wf invert image.png --blob pool3 --decoder
    """
    from dataclasses import replace

    from workflow.interpretation.synthesis.invert import rebuild
    from workflow.interpretation.synthesis.reconstruction import Settings
    from workflow.report.inversion import describe, draw_inversion

    model = which.load(call.settings())
    settings = Settings()
    settings = replace(settings, steps=steps or settings.steps)
    with Counter(call.console, "rebuilding", "steps") as progress:
        found = rebuild(model, image, blobs=blob or (), train=decoder, settings=settings, progress=progress)
    picture = (out or model.place.picture(image)) / "invert.png"
    draw_inversion(found, model.preprocessing, picture)
    call.console.result(found.json() | {"pictures": {"invert": picture}}, describe(found, {"invert": picture}))
    if show:
        show_pictures(call.console, [picture])
