"""wf channels."""

from __future__ import annotations

from typing import Annotated

from workflow.cli.options import Call, Gen, Snapshot, VisionOut
from workflow.cli.parameters import Argument, Option


def channels(
    call: Call,
    blob: Annotated[str, Argument(metavar="BLOB", help="The blob: conv1, conv2, conv3, pool3.")],
    channel: Annotated[
        list[int] | None, Option("--channel", metavar="N", help="Only this channel (repeatable).")
    ] = None,
    snapshot: Snapshot = None,
    gen: Gen = None,
    out: VisionOut = None,
    show: Annotated[bool, Option("--show", help="Open the picture.")] = False,
) -> None:
    """Show what each channel of a layer responds to.

    One page: for each channel the nine training patches with the highest activation (at most one per picture),
    and an input made from noise that maximises it. A patch is the receptive field of the unit.

    wf channels conv3
    wf channels conv2 --channel 3 --channel 17 --snapshot gen4/best
    """
    chosen = call.project().snapshot(snapshot, gen=gen)
    with call.counting("looking at the training set", "pictures") as progress:
        found = chosen.channels(blob, channel or (), progress=progress)
    call.give(found, out, show=show)
