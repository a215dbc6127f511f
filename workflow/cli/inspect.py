"""wf inspect."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from workflow.cli.options import Call, Engine, IgnoreMismatch, InspectOut, Which, listed
from workflow.cli.parameters import Argument, Option
from workflow.cli.viewer import show_pictures

_SIDE_BY_SIDE = 8  # pictures; more make columns too narrow for any screen


def inspect(
    call: Call,
    which: Which,
    images: Annotated[list[Path], Argument(metavar="IMAGE", help="Picture files.")],
    blobs: Annotated[
        str | None, Option("--blobs", metavar="A,B", help="Blobs to draw (conv1,conv2,conv3,pool3).")
    ] = None,
    out: InspectOut = None,
    save_blobs: Annotated[
        Path | None, Option("--save-blobs", metavar="FILE", help="Write every blob to an npz file.")
    ] = None,
    compare: Annotated[
        bool | None,
        Option(
            "--compare/--no-compare",
            help="Draw side by side, with scales and statistics (default: on for 2 to 8 pictures).",
        ),
    ] = None,
    channel: Annotated[
        list[int] | None, Option("--channel", metavar="N", help="Compare only this channel (repeatable).")
    ] = None,
    order: Annotated[
        Literal["number", "activity"],
        Option("--order", help="Order of the channels with --compare; activity: strongest first."),
    ] = "number",
    top: Annotated[int | None, Option("--top", metavar="N", min=1, help="Compare at most this many channels.")] = None,
    each_channel: Annotated[
        bool, Option("--each-channel", help="Compare with one colour scale per channel instead of one per blob.")
    ] = False,
    filters: Annotated[bool, Option("--filters", help="Draw the first convolution's filters as colours.")] = False,
    page: Annotated[
        bool,
        Option("--page", help="Write one HTML page with everything: grids, maps, twin, why, inversion, dream, film."),
    ] = False,
    show: Annotated[bool, Option("--show", help="Open the pictures.")] = False,
    engine: Engine = None,
    ignore_mismatch: IgnoreMismatch = None,
) -> None:
    """Show what the net sees in a picture, layer by layer.

    wf inspect image.png --snapshot iter_6000
    wf inspect a.png --snapshot b.caffemodel --net net.prototxt --mean 104,117,123
    wf inspect false.png true.png --order activity --top 16
    wf inspect false.png --page
    """
    from workflow.errors import UsageError

    picked = bool(channel) or order != "number" or top is not None or each_channel
    if compare is False and picked:
        raise UsageError("--channel, --order, --top and --each-channel need --compare", hint="without --no-compare")
    together = compare if compare is not None else picked or 1 < len(images) <= _SIDE_BY_SIDE
    if together and len(images) > _SIDE_BY_SIDE:
        raise UsageError(f"{len(images)} pictures side by side are too many, expected {_SIDE_BY_SIDE} at most")
    names, ignored = listed([blobs]) if blobs else None, listed(ignore_mismatch)
    chosen = which.load(call.project())
    beside: dict[str, Any] = {}
    drawn: list[Path] = []
    talk: list[str] = []
    if together:
        compared = chosen.compare(
            images,
            blobs=names,
            channels=channel or (),
            order=order,
            top=top,
            each_channel=each_channel,
            engine=engine,
            ignore=ignored,
        )
        files = compared.draw(out)
        beside = compared.json(files)
        drawn, talk = list(files.values()), [compared.words(files)]
    documents: list[dict[str, Any]] = []
    words: list[str] = []
    folders = chosen.folders(images, out)
    with call.counting("looking", "pictures") as progress:
        looks = chosen.inspect_all(
            images, blobs=names, engine=engine, ignore=ignored, save_blobs=save_blobs, progress=progress
        )
        for one, folder in zip(looks, folders, strict=True):
            files = one.draw(folder)
            documents.append(one.json(files))
            words.append(one.words(files))
            drawn += [] if together else list(files.values())
    if filters:
        path = chosen.filters(folders[0] / "filters.png")
        documents[0]["pictures"]["filters"] = str(path)
        words[0] += f"\nfilters  {path}"
    if page:
        for number, (image, folder) in enumerate(zip(images, folders, strict=True)):
            path = chosen.page(image, folder, counting=call.counting)
            documents[number]["pictures"]["page"] = str(path)
            words[number] += f"\npage  {path}"
    document = documents[0] if len(documents) == 1 else {"inspections": documents}
    if beside:
        facts = {"snapshot": chosen.name, "comparison": {name: beside[name] for name in ("pictures", "blobs")}}
        document = {"pictures": beside["pictures"]} | document | facts
    call.console.result(document, "\n\n".join([*words, *talk]))
    if show:
        show_pictures(call.console, drawn)
