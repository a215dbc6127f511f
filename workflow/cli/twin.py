"""wf twin."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workflow.cli.options import Call, Gen, InspectOut, Snapshot, snapshot_asked
from workflow.cli.progress import Counter
from workflow.cli.viewer import show_pictures

if TYPE_CHECKING:
    pass


def twin(
    call: Call,
    image: Annotated[Path, typer.Argument(metavar="IMAGE", help="A picture file: a false positive, say.")],
    class_name: Annotated[
        str | None, typer.Option("--class", metavar="CLASS", help="The class (the one that it was given).")
    ] = None,
    blob: Annotated[
        str | None, typer.Option("--blob", metavar="NAME", help="Whose channels to try (where it joins the class).")
    ] = None,
    snapshot: Snapshot = None,
    gen: Gen = None,
    out: InspectOut = None,
    show: Annotated[bool, typer.Option("--show", help="Open the picture.")] = False,
) -> None:
    """Find what brings a false positive into its class.

    First it is changed in simple ways (without a colour, without a third, grey, mirrored, blurred) to see what takes
    the class away. Then it is set beside the true positive that is nearest to it, and the class's mean: the layer from
    which on it is among the class, the channels that carry it there, and the places without which it falls.

    wf twin false.png
    wf twin false.png --snapshot gen4/best --blob conv3
    """
    from workflow.generations import generations
    from workflow.interpretation.examples.twin import twin as find
    from workflow.models import loading
    from workflow.report.twin import describe, draw_twin

    settings = call.settings()
    model = loading.load(settings, snapshot=snapshot_asked(snapshot, gen), number=gen)
    with Counter(call.console, "looking at the training set", "pictures") as progress:
        found = find(
            model,
            image,
            class_name=class_name,
            blob=blob,
            generations=generations(settings),
            progress=progress,
        )
    picture = (out or model.place.picture(image)) / "twin.png"
    draw_twin(found, model.preprocessing, picture)
    call.console.result(found.json() | {"pictures": {"twin": picture}}, describe(found, {"twin": picture}))
    if show:
        show_pictures(call.console, [picture])
