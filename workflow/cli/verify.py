"""wf verify."""

from __future__ import annotations

from typing import Annotated

from workflow.cli.options import Call, Engine, Gen, Snapshot
from workflow.cli.parameters import Option


def verify(
    call: Call,
    snapshot: Snapshot = None,
    gen: Gen = None,
    engine: Engine = None,
    sample: Annotated[
        int | None, Option("--sample", metavar="N", min=1, help="Number of records of each split to compare.")
    ] = None,
) -> None:
    """Check that inspecting feeds the net exactly what training did.

    Compares files with their hashes, records of the databases with their pictures, and all blobs computed from a
    record with those computed from the picture: they must be equal. If real Caffe is installed, it is compared
    too.

    wf verify
    wf verify --snapshot gen4/best
    """
    found = call.project().verify(snapshot, gen=gen, engine=engine, sample=sample)
    call.give(found)
    found.check()
