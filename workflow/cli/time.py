"""wf time."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from workflow.cli.options import Call, Gen, Snapshot
from workflow.cli.parameters import Argument, Option


def time(
    call: Call,
    file: Annotated[Path | None, Argument(metavar="FILE", help="A deploy net's prototxt.")] = None,
    snapshot: Snapshot = None,
    gen: Gen = None,
    batch: Annotated[
        int | None, Option("--batch", metavar="N", min=1, help="Pictures per pass (default: as in the prototxt).")
    ] = None,
    iterations: Annotated[int, Option("--iterations", metavar="N", min=1, help="Number of timed passes.")] = 20,
) -> None:
    """Time a net layer by layer, compared with real Caffe.

    Medians in milliseconds: torch, numpy if it knows every layer, and real Caffe if it is installed. Without
    FILE, the deploy net of a snapshot is timed.

    wf time prototxt/cifar10_quick_deploy.prototxt --batch 100
    wf time --snapshot gen4/best
    """
    from workflow.api.nets import measure
    from workflow.errors import UsageError

    if file is None:
        file = call.project().snapshot(snapshot, gen=gen, tell=False).source
    elif snapshot is not None or gen is not None:
        raise UsageError("a file and a snapshot cannot be used together", hint="use one of them")
    with call.counting("timing", "passes") as progress:
        call.give(measure(file, batch=batch, iterations=iterations, progress=progress))
