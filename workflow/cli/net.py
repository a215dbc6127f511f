"""`wf net`: show, convert and upgrade prototxt files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from workflow.cli.options import Call, listed
from workflow.cli.parameters import Argument, Option

Shape = Annotated[
    str | None,
    Option("--shape", metavar="C,H,W", help="Shape of the pictures, if the net's data source is missing."),
]
Stage = Annotated[
    list[str] | None, Option("--stage", metavar="NAME", help="Include the layers of this stage (repeatable).")
]

File = Annotated[Path, Argument(metavar="FILE", help="Prototxt of a net, old or new.")]


def show(
    call: Call,
    file: File,
    phase: Annotated[Literal["TRAIN", "TEST"], Option("--phase", help="Phase whose layers are listed.")] = "TEST",
    shape: Shape = None,
    stage: Stage = None,
    python: Annotated[
        bool,
        Option("--python", help="Run the code of Python layers to find their shapes (only if you trust it)."),
    ] = False,
    draw: Annotated[
        Path | None, Option("--draw", metavar="FILE", help="Also draw the net to a .png or .svg file.")
    ] = None,
) -> None:
    """List a net's layers with shapes, parameters and multiply-adds.

    A net of the project's prototxt/ is shown with the number of classes of its newest generation, as it is trained.

    wf net show prototxt/cifar10_quick_deploy.prototxt --draw net.png
    wf net show train_test.prototxt --phase TRAIN --shape 3,32,32
    """
    from workflow.api import nets

    net, classes = nets.show(
        file,
        phase=phase,
        stages=listed(stage),
        shape=_shape(shape),
        run_python=python,
        project=call.project(),
    )
    if classes is not None:
        call.console.say(f"with {classes} outputs, the classes of the newest generation")
    files = {} if draw is None else net.draw(draw)
    call.console.result(net.json(files), net.words(files))


def upgrade(
    call: Call,
    file: Annotated[Path, Argument(metavar="FILE", help="A net's or a solver's prototxt, or a caffemodel.")],
    out: Annotated[Path | None, Argument(metavar="OUT", help="Output file (default: beside FILE).")] = None,
) -> None:
    """Convert an old net, solver or caffemodel to Caffe 1.0's format.

    V0 and V1 layers, input fields, enum types and solver types are upgraded.

    wf net upgrade old_train_val.prototxt new.prototxt
    wf net upgrade old.caffemodel new.caffemodel
    """
    from workflow.api import nets

    target, kind = nets.upgrade(file, out)
    call.console.result({"path": str(target), "kind": kind}, str(target))


def deploy(
    call: Call,
    file: Annotated[Path, Argument(metavar="FILE", help="Prototxt of a training net, old or new.")],
    out: Annotated[Path | None, Argument(metavar="OUT", help="Output file (default: beside FILE).")] = None,
    shape: Shape = None,
    stage: Stage = None,
) -> None:
    """Make a deploy net of a training net.

    Its data layer becomes an input, its loss a Softmax.

    wf net deploy train_val.prototxt
    wf net deploy prototxt/lenet_train_test.prototxt lenet.prototxt --shape 1,28,28
    """
    from workflow.api import nets

    made = nets.deploy(file, out, shape=_shape(shape), stages=listed(stage))
    call.console.result(
        {"path": str(made.path), "input": made.input, "replaced": made.replaced},
        f"{made.path}  (input {'×'.join(map(str, made.input))} replaces layer '{made.replaced}')",
    )


def _shape(text: str | None) -> tuple[int, int, int] | None:
    if text is None:
        return None
    from workflow.errors import UsageError

    parts = text.split(",")
    if len(parts) != 3 or not all(part.strip().isdigit() and int(part) for part in parts):
        raise UsageError(f"--shape {text}: expected channels, height and width", hint="--shape 3,32,32")
    channels, height, width = map(int, parts)
    return channels, height, width
