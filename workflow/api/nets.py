"""Nets and solvers as files: show, draw, time and upgrade them, make deploy nets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from workflow.api.result import Finding

if TYPE_CHECKING:
    from workflow.api.project import Project
    from workflow.checks.layer_timing import Timing
    from workflow.models.anatomy import Anatomy

Size = tuple[int, int, int]
"""(C, H, W)."""


def show(
    file: str | Path,
    *,
    phase: Literal["TRAIN", "TEST"] = "TEST",
    stages: Sequence[str] = (),
    shape: Size | None = None,
    run_python: bool = False,
    project: Project | None = None,
) -> tuple[Finding[Anatomy], int | None]:
    """A net's layers with shapes, parameters and multiply-adds.

    Args:
        file: a prototxt of any age.
        phase: `TRAIN` or `TEST`; a file may describe both nets.
        stages: whose layers are shown, too.
        shape: of the pictures, where the net's own source is not here.
        run_python: run the code of Python layers to learn their shapes.
        project: whose nets are shown with the number of classes of its newest generation.

    Returns:
        The net, and the number of classes that was filled in; None if none was.

    Raises:
        NetError: the file is no net, or its shapes are not known.
    """
    from workflow.models.anatomy import anatomy
    from workflow.report.anatomy import describe
    from workflow.report.net_drawing import draw_net

    path = Path(file)
    classes = None if project is None else _project_classes(project, path)
    net = anatomy(path, phase=phase, stages=stages, stored=shape, run_python=run_python, classes=classes)

    def draw(one: Anatomy, target: Path) -> dict[str, Path]:
        """A `target` with an ending is the file; else it is a folder."""
        out = target if target.suffix else target / "net.png"
        draw_net(one, out)
        return {"net": out}

    found = Finding(
        found=net,
        describe=lambda one, pictures: describe(one) + (f"\n{pictures['net']}" if pictures else ""),
        drawing=draw,
        document=lambda one, pictures: one.json() | {"pictures": {name: str(path) for name, path in pictures.items()}},
    )
    return found, classes


def _project_classes(project: Project, file: Path) -> int | None:
    """How many classes training fills into a net of the project's own; None for other nets, and before any."""
    from workflow.errors import NetError
    from workflow.formats.prototxt import read_net
    from workflow.net.fill import classifying_layer

    if file.resolve().parent != project.config.train.deploy.resolve().parent:
        return None
    prepared = [one for one in project.generations if one.record_path.is_file()]
    try:
        classifying_layer(read_net(file))
    except NetError:  # no classifier: nothing is filled in
        return None
    return len(prepared[-1].read().classes) if prepared else None


def measure(
    file: str | Path,
    *,
    batch: int | None = None,
    iterations: int = 20,
    progress: Callable[[int, int], None] | None = None,
) -> Finding[Timing]:
    """Milliseconds of each layer, forward and backward, beside real Caffe's and numpy's.

    Args:
        file: a deploy net's prototxt.
        batch: pictures in a pass; None is what the prototxt says.
        iterations: passes that count.
        progress: called with (done, all).
    """
    from workflow.checks.layer_timing import measure
    from workflow.report.layer_timing import describe

    found = measure(Path(file), batch=batch, iterations=iterations, progress=progress)
    return Finding(found=found, describe=lambda one, _: describe(one))


def upgrade(file: str | Path, out: str | Path | None = None) -> tuple[Path, str]:
    """Write an old net, solver or caffemodel as Caffe 1.0 writes it.

    Args:
        file: the old file.
        out: the new one; None is NAME.upgraded.ENDING beside it.

    Returns:
        The new file, and what it holds.
    """
    from workflow.formats.upgrade_file import upgrade_file

    path = Path(file)
    target = path.with_name(f"{path.stem}.upgraded{path.suffix}") if out is None else Path(out)
    return target, upgrade_file(path, target)


@dataclass(frozen=True)
class Deployed:
    """A deploy net that was written."""

    path: Path
    input: list[int]
    """Shape of the input, (N, C, H, W)."""
    replaced: str
    """The data layer in whose place the input is."""


def deploy(
    file: str | Path, out: str | Path | None = None, *, shape: Size | None = None, stages: Sequence[str] = ()
) -> Deployed:
    """Make a deploy net of a training net.

    Args:
        file: a train_test prototxt, of any age.
        out: the new file; None is beside it, `x_train_test` becoming `x_deploy`.
        shape: of the pictures, where the net's own source is not here.
        stages: whose layers are kept, too.

    Raises:
        UsageError: the file beside it exists.
        NetError: the shape is not known.
    """
    from workflow.formats import prototxt
    from workflow.models.deploy import from_training

    source = Path(file)
    net, data = from_training(prototxt.read_net(source), source=source, stored=shape, stages=tuple(stages))
    target = _beside(source) if out is None else Path(out)
    target.parent.mkdir(parents=True, exist_ok=True)
    prototxt.write(target, net)
    return Deployed(target, list(net.layer[0].input_param.shape[0].dim), data.name)


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
