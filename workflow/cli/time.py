"""wf time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workflow.cli.options import Call, Gen, Snapshot, snapshot_asked
from workflow.cli.progress import Counter
from workflow.cli.table import table

if TYPE_CHECKING:
    from workflow.checks.layer_timing import Timing

_BAR = 20  # signs of the longest bar


def time(
    call: Call,
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="A deploy net's prototxt.")] = None,
    snapshot: Snapshot = None,
    gen: Gen = None,
    batch: Annotated[
        int | None, typer.Option("--batch", metavar="N", min=1, help="Pictures in a pass (what the prototxt says).")
    ] = None,
    iterations: Annotated[int, typer.Option("--iterations", metavar="N", min=1, help="Passes that count.")] = 20,
) -> None:
    """Time a net layer by layer, beside real Caffe.

    Medians in milliseconds, the engines in turn: torch, numpy where it knows every layer, and real Caffe once
    scripts/install_caffe has run. Without FILE, the deploy net of a snapshot.

    wf time prototxt/cifar10_quick_deploy.prototxt --batch 100
    wf time --snapshot gen4/best
    """
    from workflow.checks.layer_timing import measure  # PyTorch, which --help does not need
    from workflow.errors import UsageError
    from workflow.models import loading

    if file is None:
        file = loading.load(call.settings(), snapshot=snapshot_asked(snapshot, gen), number=gen, tell=False).source
    elif snapshot is not None or gen is not None:
        raise UsageError("a file and a snapshot were both given", hint="one of them")
    with Counter(call.console, "timing", "passes") as progress:
        found = measure(file, batch=batch, iterations=iterations, progress=progress)
    call.console.result(found.json(), describe(found))


def describe(found: Timing) -> str:
    """A row for each layer, with a bar for its part of the whole."""
    real = found.caffe is not None
    rows = [["layer", "type", "forward", "backward", *(["Caffe's", "backward", "ratio"] if real else [])]]
    rows[0] += [*(["numpy's"] if found.numpy is not None else []), "part"]
    both = found.torch.sum(0)
    for number, (name, kind) in enumerate(found.layers):
        bar = "#" * round(_BAR * float(both[number] / max(float(both.max()), 1e-9)))
        rows.append([name, kind, *_numbers(found, number), bar])
    rows.append(["total", "", *_numbers(found, None), ""])
    pictures = "1 picture" if found.batch == 1 else f"{found.batch} pictures"
    head = f"{found.net}, {pictures}, milliseconds (medians of {found.iterations})"
    note = [] if real else ["real Caffe is not installed: scripts/install_caffe"]
    return "\n".join([head, *table(rows, left=(0, 1, len(rows[0]) - 1)), *note])


def _numbers(found: Timing, layer: int | None) -> list[str]:
    ours = found.torch.sum(1) if layer is None else found.torch[:, layer]
    words = [f"{value:.3f}" for value in ours]
    if found.caffe is not None:
        theirs = found.caffe.sum(1) if layer is None else found.caffe[:, layer]
        ratio = float(theirs.sum()) / max(float(ours.sum()), 1e-9)
        words += [*(f"{value:.3f}" for value in theirs), f"{ratio:.1f}x"]
    if found.numpy is not None:
        words.append(f"{found.numpy.sum() if layer is None else found.numpy[layer]:.3f}")
    return words
