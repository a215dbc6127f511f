"""wf verify."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from workflow.cli.options import Call, Engine, Gen, Snapshot

if TYPE_CHECKING:
    from workflow.checks.verification import Verification


def verify(
    call: Call,
    snapshot: Snapshot = None,
    gen: Gen = None,
    engine: Engine = None,
    sample: Annotated[
        int | None, typer.Option("--sample", metavar="N", min=1, help="Records of each split to compare.")
    ] = None,
) -> None:
    """Prove that the net is shown what it was trained on.

    Files are held against their hashes, records of the databases against their pictures, and what a net makes of
    a record against what it makes of the picture: all blobs must be equal. With real Caffe here, it is asked too.

    wf verify
    wf verify --snapshot gen4/best
    """
    from workflow.checks import verify as check  # numpy and Pillow, which --help does not need

    size = check.SAMPLE if sample is None else sample
    result = check.verify(call.settings(), snapshot=snapshot, number=gen, engine=engine, sample=size)
    call.console.result(result.json(), describe(result))
    result.check()


def describe(result: Verification) -> str:
    """What was compared, and the largest difference."""
    lines = [
        f"{result.snapshot or result.generation}: {result.checked:,} records checked, "
        f"largest difference {result.max_abs_difference:.3g}"
    ]
    lines += [f"{engine} engine: largest difference {difference:.3g}" for engine, difference in result.engines.items()]
    for what, paths in (("gone", result.missing), ("changed", result.changed)):
        if paths:
            lines.append(f"{len(paths):,} pictures are {what} since they were prepared, such as {paths[0]}")
    return "\n".join(lines)
