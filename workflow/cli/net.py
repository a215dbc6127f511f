"""wf net: looking at prototxt files, and bringing old ones up to date."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from workflow.cli.options import Call, listed

if TYPE_CHECKING:
    pass

Shape = Annotated[
    str | None,
    typer.Option("--shape", metavar="C,H,W", help="Shape of the pictures, if the net's data source is missing."),
]
Stage = Annotated[
    list[str] | None, typer.Option("--stage", metavar="NAME", help="Include the layers of this stage (repeatable).")
]

File = Annotated[Path, typer.Argument(metavar="FILE", help="Prototxt of a net, old or new.")]


def show(
    call: Call,
    file: File,
    phase: Annotated[Literal["TRAIN", "TEST"], typer.Option("--phase", help="Phase whose layers are listed.")] = "TEST",
    shape: Shape = None,
    stage: Stage = None,
    python: Annotated[
        bool,
        typer.Option("--python", help="Run the code of Python layers to find their shapes (only if you trust it)."),
    ] = False,
    draw: Annotated[
        Path | None, typer.Option("--draw", metavar="FILE", help="Also draw the net to a .png or .svg file.")
    ] = None,
) -> None:
    """List a net's layers with shapes, parameters and multiply-adds.

    A net of the project's prototxt/ is shown with the number of classes of its newest generation, as it is trained.

    wf net show prototxt/cifar10_quick_deploy.prototxt --draw net.png
    wf net show train_test.prototxt --phase TRAIN --shape 3,32,32
    """
    from workflow.models.anatomy import anatomy  # numpy, which --help does not need
    from workflow.report.anatomy import describe

    classes = _project_classes(call, file)
    net = anatomy(file, phase=phase, stages=listed(stage), stored=_shape(shape), run_python=python, classes=classes)
    if classes is not None:
        call.console.say(f"with {classes} outputs, the classes of the newest generation")
    if draw is not None:
        from workflow.report.net_drawing import draw_net  # matplotlib

        draw_net(net, draw)
    facts = net.json() | {"pictures": {"net": str(draw)} if draw else {}}
    call.console.result(facts, describe(net) + (f"\n{draw}" if draw else ""))


def _project_classes(call: Call, file: Path) -> int | None:
    """How many classes training fills into a net of the project's own; None for other nets, and before any."""
    from workflow.errors import NetError
    from workflow.formats.prototxt import read_net
    from workflow.generations import generations
    from workflow.net.fill import classifying_layer

    settings = call.settings()
    if file.resolve().parent != settings.train.deploy.resolve().parent:
        return None
    prepared = [one for one in generations(settings) if one.record_path.is_file()]
    try:
        classifying_layer(read_net(file))
    except NetError:  # no classifier: nothing is filled in
        return None
    return len(prepared[-1].read().classes) if prepared else None


def upgrade(
    call: Call,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A net's or a solver's prototxt, or a caffemodel.")],
    out: Annotated[Path | None, typer.Argument(metavar="OUT", help="Output file (default: beside FILE).")] = None,
) -> None:
    """Convert an old net, solver or caffemodel to Caffe 1.0's format.

    V0 and V1 layers, input fields, enum types and solver types are upgraded.

    wf net upgrade old_train_val.prototxt new.prototxt
    wf net upgrade old.caffemodel new.caffemodel
    """
    from workflow.formats.upgrade_file import upgrade_file  # protobuf, which --help does not need

    target = out or file.with_name(f"{file.stem}.upgraded{file.suffix}")
    kind = upgrade_file(file, target)
    call.console.result({"path": str(target), "kind": kind}, str(target))


def deploy(
    call: Call,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Prototxt of a training net, old or new.")],
    out: Annotated[Path | None, typer.Argument(metavar="OUT", help="Output file (default: beside FILE).")] = None,
    shape: Shape = None,
    stage: Stage = None,
) -> None:
    """Make a deploy net of a training net.

    Its data layer becomes an input, its loss a Softmax.

    wf net deploy train_val.prototxt
    wf net deploy prototxt/lenet_train_test.prototxt lenet.prototxt --shape 1,28,28
    """
    from workflow.formats import prototxt  # protobuf, which --help does not need
    from workflow.models.deploy import from_training

    net, data = from_training(prototxt.read_net(file), source=file, stored=_shape(shape), stages=listed(stage))
    target = out or _beside(file)
    target.parent.mkdir(parents=True, exist_ok=True)
    prototxt.write(target, net)
    size = list(net.layer[0].input_param.shape[0].dim)
    call.console.result(
        {"path": str(target), "input": size, "replaced": data.name},
        f"{target}  (input {'×'.join(map(str, size))} in the place of layer '{data.name}')",
    )


def _beside(file: Path) -> Path:
    """`x_train_test.prototxt` -> `x_deploy.prototxt`, as long as there is none."""
    from workflow.errors import UsageError

    stem = file.stem
    for ending in ("train_test", "train_val", "trainval", "train"):
        if stem.endswith(ending):
            stem = stem.removesuffix(ending) + "deploy"
            break
    else:
        stem += "_deploy"
    target = file.with_name(stem + file.suffix)
    if target.exists():
        raise UsageError(f"{target} exists already", hint=f"name another file: wf net deploy {file} OUT")
    return target


def _shape(text: str | None) -> tuple[int, int, int] | None:
    if text is None:
        return None
    from workflow.errors import UsageError

    parts = text.split(",")
    if len(parts) != 3 or not all(part.strip().isdigit() and int(part) for part in parts):
        raise UsageError(f"--shape {text}: expected channels, height and width", hint="--shape 3,32,32")
    channels, height, width = map(int, parts)
    return channels, height, width
