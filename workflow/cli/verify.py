"""wf verify."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from workflow.cli.options import Call, Engine, Gen, Snapshot

if TYPE_CHECKING:
    pass


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
    from workflow.report.verification import describe

    size = check.SAMPLE if sample is None else sample
    result = check.verify(call.settings(), snapshot=snapshot, number=gen, engine=engine, sample=size)
    call.console.result(result.json(), describe(result))
    result.check()
