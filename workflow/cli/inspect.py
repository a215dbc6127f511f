"""wf inspect."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workflow.cli.options import (
    Call,
    ChannelOrder,
    Engine,
    Gen,
    IgnoreMismatch,
    Labels,
    Mean,
    Net,
    Scale,
    Snapshot,
    listed,
)
from workflow.cli.viewer import show_pictures

if TYPE_CHECKING:
    from workflow.inspection.inspect import Inspection


def inspect(
    call: Call,
    images: Annotated[list[Path], typer.Argument(metavar="IMAGE", help="Picture files.")],
    snapshot: Snapshot = None,
    gen: Gen = None,
    blobs: Annotated[
        str | None, typer.Option("--blobs", metavar="A,B", help="Blobs to draw (conv1,conv2,conv3,pool3).")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Folder for the pictures (the generation's inspect/).")
    ] = None,
    save_blobs: Annotated[
        Path | None, typer.Option("--save-blobs", metavar="FILE", help="Write every blob to an npz file.")
    ] = None,
    show: Annotated[bool, typer.Option("--show", help="Open the pictures.")] = False,
    engine: Engine = None,
    net: Net = None,
    mean: Mean = None,
    labels: Labels = None,
    channel_order: ChannelOrder = None,
    scale: Scale = None,
    ignore_mismatch: IgnoreMismatch = None,
) -> None:
    """Show what the net sees in a picture: shapes, probabilities, grids.

    wf inspect image.png --snapshot iter_6000
    wf inspect image.png --snapshot other.caffemodel --net deploy.prototxt --mean mean.binaryproto
    """
    from workflow.inspection import inspect as look  # numpy and Pillow, which --help does not need
    from workflow.inspection import loading

    model = loading.load(
        call.settings(),
        snapshot=snapshot,
        number=gen,
        net=net,
        mean=mean,
        labels=labels,
        channel_order=channel_order,
        scale=scale,
    )
    with model.open(engine, images=len(images), ignore=listed(ignore_mismatch)) as session:
        found = list(
            look.inspect(
                model, session, images, blobs=listed([blobs]) if blobs else None, out=out, save_blobs=save_blobs
            )
        )
    documents = [one.json() for one in found]
    document = documents[0] if len(documents) == 1 else {"inspections": documents}
    call.console.result(document, "\n\n".join(map(describe, found)))
    if show:
        show_pictures(call.console, [picture for one in found for picture in one.pictures.values()])


def describe(one: Inspection) -> str:
    """Shapes, probabilities and pictures of one image, in columns."""
    width = max(len(name) for name in [*one.blobs, *one.probabilities])
    lines = [f"{one.image} as {one.snapshot} sees it"]
    lines += [f"  {name:{width}}  {shape}" for name, shape in one.blobs.items()]
    if one.probabilities:
        lines.append("probabilities")
        likely = sorted(one.probabilities.items(), key=lambda pair: -pair[1])[:10]
        lines += [f"  {name:{width}}  {share:.4f}" for name, share in likely]
    if one.pictures:
        lines.append("pictures")
        lines += [f"  {name:{width}}  {path}" for name, path in one.pictures.items()]
    return "\n".join(lines)
