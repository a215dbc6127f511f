"""wf import."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from workflow.cli.options import Call
from workflow.cli.parameters import Argument, Option


def import_(
    call: Call,
    paths: Annotated[
        list[Path],
        Argument(metavar="PATH", help="Two LMDBs, or folders or archives that contain them."),
    ],
    gen: Annotated[int, Option("--gen", metavar="N", min=0, help="Number of the generation.")] = 0,
    mean: Annotated[
        Path | None,
        Option("--mean", metavar="FILE", help="The mean (default: found beside the databases, else computed)."),
    ] = None,
    labels: Annotated[
        Path | None,
        Option(
            "--labels", metavar="FILE", help="Names of the classes, one per line (default: found beside the databases)."
        ),
    ] = None,
    channel_order: Annotated[
        Literal["RGB", "BGR"],
        Option("--channel-order", help="Channel order of the records; convert_imageset and DIGITS write BGR."),
    ] = "BGR",
    allow_network_fs: Annotated[
        bool, Option("--allow-network-fs", help="Allow databases on a network file system.")
    ] = False,
) -> None:
    """Import a data set made by Caffe's tools or DIGITS.

    PATH may be LMDBs of convert_imageset, a DIGITS job or an old project folder. Records, mean and snapshots stay
    unchanged.

    wf import train_lmdb test_lmdb --mean mean.binaryproto --labels labels.txt
    wf import digits/jobs/20160101-120000-1a2b digits/jobs/20160101-130000-3c4d
    wf import old_project/
    """
    with call.counting("reading", "records") as progress:
        found = call.project().import_(
            *paths,
            gen=gen,
            mean=mean,
            labels=labels,
            channel_order=channel_order,
            allow_network_fs=allow_network_fs,
            progress=progress,
        )
    call.give(found)
