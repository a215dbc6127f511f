"""wf film."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workflow.cli.options import Call, Gen, Out
from workflow.cli.progress import Counter
from workflow.cli.table import table
from workflow.cli.viewer import show_pictures

_CLASSES = 5


def film(
    call: Call,
    image: Annotated[Path, typer.Argument(metavar="IMAGE", help="A picture file.")],
    gen: Gen = None,
    blobs: Annotated[
        list[str] | None,
        typer.Option("--blob", metavar="NAME", help="Show this blob; may be given several times (as wf inspect)."),
    ] = None,
    out: Out = None,
    show: Annotated[bool, typer.Option("--show", help="Open the pictures.")] = False,
) -> None:
    """Show one picture through all snapshots of a generation.

    A GIF, a strip of the same, and the probabilities over the iterations.

    wf film strange.png --gen 5
    """
    from workflow.inspection import loading
    from workflow.inspection.film import shoot
    from workflow.report.film import draw_film  # numpy, Pillow and matplotlib, which --help does not need

    settings = call.settings()
    with Counter(call.console, "filming", "snapshots") as progress:
        found = shoot(settings, image, number=gen, blobs=blobs, progress=progress)
    model = loading.load(settings, snapshot=f"{found.generation}/iter_{found.iterations[-1]}", tell=False)
    target = out or settings.generations / found.generation / "inspect" / f"{image.stem}-film"
    paths = draw_film(found, model.preprocessing, target)
    order = found.probabilities[-1].argsort()[::-1][:_CLASSES]
    rows = [["iteration", *(found.classes[number] for number in order)]]
    rows += [
        [f"{iteration:,}", *(f"{share:.4f}" for share in shares[order])]
        for iteration, shares in zip(found.iterations, found.probabilities, strict=True)
    ]
    words = [
        f"{image} through {found.generation}",
        *table(rows),
        *(f"{name:5}  {path}" for name, path in paths.items()),
    ]
    call.console.result(found.json() | {"pictures": paths}, "\n".join(words))
    if show:
        show_pictures(call.console, list(paths.values()))
