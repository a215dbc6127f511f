"""wf invert."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workflow.cli.options import Call, Out, Which
from workflow.cli.progress import Counter
from workflow.cli.table import table
from workflow.cli.viewer import show_pictures

if TYPE_CHECKING:
    from workflow.interpretation.synthesis.invert import Inversion


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
        typer.Option("--decoder", help="Train the decoders that are missing, a minute or two each, and keep them."),
    ] = False,
    steps: Annotated[int | None, typer.Option("--steps", metavar="N", min=1, help="Of the optimisation.")] = None,
    out: Out = None,
    show: Annotated[bool, typer.Option("--show", help="Open the picture.")] = False,
) -> None:
    """Rebuild a picture from what each layer keeps of it.

    By optimisation: pixels are moved until the blob holds the same. By a decoder: a small net that has learned from
    the generation's own training pictures what such features usually come from.

    wf invert image.png
    wf invert image.png --blob pool3 --decoder
    """
    from dataclasses import replace

    from workflow.interpretation.attribution.logit_account import (
        folder,  # numpy, and below PyTorch and matplotlib, which --help need not load
    )
    from workflow.interpretation.synthesis.invert import rebuild
    from workflow.interpretation.synthesis.reconstruction import Settings
    from workflow.report.inversion import draw_inversion

    model = which.load(call.settings())
    settings = Settings()
    settings = replace(settings, steps=steps or settings.steps)
    with Counter(call.console, "rebuilding", "steps") as progress:
        found = rebuild(model, image, blobs=blob or (), train=decoder, settings=settings, progress=progress)
    picture = (out or folder(model, image)) / "invert.png"
    draw_inversion(found, model.preprocessing, picture)
    call.console.result(found.json() | {"pictures": {"invert": picture}}, describe(found, picture))
    if show:
        show_pictures(call.console, [picture])


def describe(found: Inversion, picture: Path) -> str:
    """A line for each rebuilt picture."""
    rows = [["blob", "by", "feature error", "PSNR", "SSIM"]]
    rows += [
        [one.blob, one.how, f"{one.feature_error:.2%}", f"{one.psnr:.1f} dB", f"{one.ssim:.3f}"]
        for one in found.rebuilt
    ]
    label = "" if found.label is None else f", which it takes for '{found.label}'"
    head = f"what {found.snapshot} keeps of {found.image}{label}"
    return "\n".join([head, *table(rows, left=(0, 1)), f"picture  {picture}"])
