"""wf inspect."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from workflow.cli.options import Call, Engine, IgnoreMismatch, InspectOut, Which, listed
from workflow.cli.progress import Counter
from workflow.cli.viewer import show_pictures

if TYPE_CHECKING:
    from workflow.interpretation.activations.inspect import Inspection
    from workflow.models.model import Model

_SIDE_BY_SIDE = 8  # pictures; more make columns too narrow for any screen


def inspect(
    call: Call,
    which: Which,
    images: Annotated[list[Path], typer.Argument(metavar="IMAGE", help="Picture files.")],
    blobs: Annotated[
        str | None, typer.Option("--blobs", metavar="A,B", help="Blobs to draw (conv1,conv2,conv3,pool3).")
    ] = None,
    out: InspectOut = None,
    save_blobs: Annotated[
        Path | None, typer.Option("--save-blobs", metavar="FILE", help="Write every blob to an npz file.")
    ] = None,
    compare: Annotated[
        bool | None,
        typer.Option(
            "--compare/--no-compare",
            help="Draw side by side, with scales and statistics (default: on for 2 to 8 pictures).",
        ),
    ] = None,
    channel: Annotated[
        list[int] | None, typer.Option("--channel", metavar="N", help="Compare only this channel (repeatable).")
    ] = None,
    order: Annotated[
        Literal["number", "activity"],
        typer.Option("--order", help="Order of the channels with --compare; activity: strongest first."),
    ] = "number",
    top: Annotated[
        int | None, typer.Option("--top", metavar="N", min=1, help="Compare at most this many channels.")
    ] = None,
    each_channel: Annotated[
        bool, typer.Option("--each-channel", help="Compare with one colour scale per channel instead of one per blob.")
    ] = False,
    filters: Annotated[
        bool, typer.Option("--filters", help="Draw the first convolution's filters as colours.")
    ] = False,
    page: Annotated[
        bool,
        typer.Option(
            "--page", help="Write one HTML page with everything: grids, maps, twin, why, inversion, dream, film."
        ),
    ] = False,
    show: Annotated[bool, typer.Option("--show", help="Open the pictures.")] = False,
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
    from workflow.exams import activity
    from workflow.interpretation.activations import inspect as look  # numpy and Pillow, which --help does not need
    from workflow.report.inspection import describe

    chosen = bool(channel) or order != "number" or top is not None or each_channel
    if compare is False and chosen:
        raise UsageError(
            "--channel, --order, --top and --each-channel are about --compare", hint="without --no-compare"
        )
    together = compare if compare is not None else chosen or 1 < len(images) <= _SIDE_BY_SIDE
    if together and len(images) > _SIDE_BY_SIDE:
        raise UsageError(f"{len(images)} pictures side by side are too many, expected {_SIDE_BY_SIDE} at most")
    names = listed([blobs]) if blobs else None
    settings = call.settings()
    model = which.load(settings)
    with model.open(engine, images=len(images), ignore=listed(ignore_mismatch)) as session:
        beside: dict[str, Any] = {}
        if together:
            from workflow.interpretation.activations import side_by_side
            from workflow.report.comparison import draw_comparison  # matplotlib, which plain grids do not need

            compared = side_by_side.compare(
                model,
                session,
                images,
                blobs=names,
                channels=channel or (),
                order=order,
                top=top,
                each_channel=each_channel,
            )
            home = out or model.place.comparison(images)
            drawn = draw_comparison(compared, model.preprocessing, home)
            beside = {"pictures": {name: str(path) for name, path in drawn.items()}, "blobs": compared.json()}
        found: list[Inspection] = []
        with Counter(call.console, "looking", "pictures") as progress:
            for one in look.inspect(model, session, images, blobs=names, out=out, save_blobs=save_blobs):
                found.append(one)
                progress(len(found), len(images))
    silent = {name: one for name, one in activity.known(model).items() if any(name in seen.pictures for seen in found)}
    facts = {"silent": {name: one.json() for name, one in silent.items()}} if silent else {}
    documents = [one.json() | facts for one in found]
    talk = [describe(one, silent) for one in found]
    for number, one in enumerate(found):
        if one.class_map is not None:
            path = draw_classes(model, one, look.folders(model, images, out)[number])
            documents[number]["pictures"]["class map"] = str(path)
            talk[number] += f"\n  class map  {path}"
    if filters:
        from workflow.interpretation.activations.filters import draw_filters

        path = draw_filters(model, next(iter(found[0].pictures.values())).with_name("filters.png"))
        documents[0]["pictures"]["filters"] = str(path)
        talk[0] += f"\nfilters  {path}"
    if page:
        from workflow.cli.picture_page import write_page

        for number, (one, folder) in enumerate(zip(found, look.folders(model, images, out), strict=True)):
            path = write_page(call, settings, model, one, folder)
            documents[number]["pictures"]["page"] = str(path)
            talk[number] += f"\npage  {path}"
    document = documents[0] if len(documents) == 1 else {"inspections": documents}
    if beside:
        document = {"pictures": beside["pictures"]} | document | {"snapshot": model.name, "comparison": beside}
        width = max(map(len, beside["pictures"]))
        talk.append("\n".join(["side by side", *(f"  {k:{width}}  {path}" for k, path in beside["pictures"].items())]))
    call.console.result(document, "\n\n".join(talk))
    if show:
        drawn_paths = [Path(path) for path in beside.get("pictures", {}).values()]
        show_pictures(call.console, drawn_paths or [picture for one in found for picture in one.pictures.values()])


def draw_classes(model: Model, one: Inspection, folder: Path) -> Path:
    """The class map of a fully convolutional net as a picture."""
    from workflow.data.channel_order import to_rgb
    from workflow.report.canvas import snapshot_name  # matplotlib, which plain grids do not need
    from workflow.report.class_map import draw_class_map

    assert one.class_map is not None  # noqa: S101 - for the type checker
    path = folder / "class-map.png"
    picture = to_rgb(model.read(one.image), model.preprocessing)
    draw_class_map(one.class_map, picture, path, title=f"{one.image.name} as {snapshot_name(one.snapshot)} sees it")
    return path
