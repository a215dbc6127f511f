"""wf next."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from workflow.cli.options import Call, Cluster, EvaluationOut, Gen
from workflow.cli.parameters import Argument, Option
from workflow.errors import UsageError
from workflow.paths import PathOrAddress


def next(  # the command's name is the function's
    call: Call,
    folder: Annotated[
        PathOrAddress | None, Argument(metavar="FOLDER", help="Folder or tar of unlabelled pictures.")
    ] = None,
    count: Annotated[int, Option("--count", metavar="N", min=1, help="Number of pictures to choose.")] = 50,
    gen: Gen = None,
    out: EvaluationOut = None,
    cluster: Cluster = None,
    apply: Annotated[
        Path | None,
        Option("--apply", metavar="FILE", help="Copy the pictures decided in next.csv to their classes."),
    ] = None,
    show: Annotated[bool, Option("--show", help="Open the contact sheets.")] = False,
) -> None:
    """Choose which unlabelled pictures to label next.

    Pictures that are in a generation already and near-duplicates are left out; each predicted class gets an equal
    share. Writes next.csv and a contact sheet numbered like its rows. Fill in the column `decision`: accept (use the
    suggested class), refuse (do not label it and do not suggest it again), or the name of a class. --apply copies the
    pictures to images/CLASS.

    wf next incoming/ --count 50
    wf next --apply next.csv
    """
    if apply is not None:
        if folder is not None:
            raise UsageError("FOLDER and --apply: use one of them")
        done = call.project().apply_next(apply)
        call.give(done)
        call.console.skipped(done.skipped)
        return
    if folder is None:
        raise UsageError("missing argument 'FOLDER'", hint="wf next --help")
    with call.counting("looking", "pictures") as progress:
        found = call.project(cluster__address=cluster).next(folder, count=count, gen=gen, out=out, progress=progress)
    call.give(found, show=show)
    call.console.skipped(found.skipped)
