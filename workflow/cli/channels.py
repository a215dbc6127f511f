"""wf channels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from workflow.cli.options import Call, Gen, Snapshot, VisionOut, snapshot_asked
from workflow.cli.progress import Counter
from workflow.cli.viewer import show_pictures

if TYPE_CHECKING:
    pass


def channels(
    call: Call,
    blob: Annotated[str, typer.Argument(metavar="BLOB", help="The blob: conv1, conv2, conv3, pool3.")],
    channel: Annotated[
        list[int] | None, typer.Option("--channel", metavar="N", help="Only this channel (repeatable).")
    ] = None,
    snapshot: Snapshot = None,
    gen: Gen = None,
    out: VisionOut = None,
    show: Annotated[bool, typer.Option("--show", help="Open the picture.")] = False,
) -> None:
    """Show what each channel of a layer responds to.

    One page: for each channel the nine training patches with the highest activation (at most one per picture),
    and an input made from noise that maximises it. A patch is the receptive field of the unit.

    wf channels conv3
    wf channels conv2 --channel 3 --channel 17 --snapshot gen4/best
    """
    from workflow.interpretation.examples.channels import look_for
    from workflow.models import loading
    from workflow.report.channels import (  # matplotlib, and below PyTorch, which --help need not load
        describe,
        draw_channels,
    )

    model = loading.load(call.settings(), snapshot=snapshot_asked(snapshot, gen), number=gen)
    with Counter(call.console, "looking at the training set", "pictures") as progress:
        found = look_for(model, blob, channels=channel or (), progress=progress)
    name = f"{blob.replace('/', '_')}{''.join(f'-{number}' for number in (channel or ())[:4])}"
    picture = (out or model.place.whole("channels")) / f"{name}.png"
    draw_channels(found, model.preprocessing, picture)
    call.console.result(found.json() | {"pictures": {blob: picture}}, describe(found, {blob: picture}))
    if show:
        show_pictures(call.console, [picture])
