"""wf suspects."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from workflow.cli.options import Call, EvaluationOut, Gen, Snapshot
from workflow.cli.parameters import Argument, Option
from workflow.errors import UsageError


def suspects(
    call: Call,
    number: Annotated[
        int | None,
        Argument(
            metavar="N",
            min=1,
            help="With --undo: number of the applied table, the NNN of corrections/NNN.jsonl (default: the newest).",
        ),
    ] = None,
    snapshot: Snapshot = None,
    gen: Gen = None,
    top: Annotated[
        int | None, Option("--top", metavar="N", min=1, help="Number of pictures to list (default: 6 % of them).")
    ] = None,
    out: EvaluationOut = None,
    apply: Annotated[
        Path | None,
        Option("--apply", metavar="FILE", help="Apply the decisions in suspects.csv."),
    ] = None,
    undo: Annotated[bool, Option("--undo", help="Revert applied decisions.")] = False,
    show: Annotated[bool, Option("--show", help="Open the contact sheets.")] = False,
) -> None:
    """List labels that are probably wrong, and near-duplicates.

    Writes suspects.csv, suspects.png and twins.csv (near-duplicates). Fill in the column `decision`: accept (use the
    suggested class), refuse (keep the label), remove (leave the picture out of the data set), or the name of a class.
    --apply makes the next `wf prepare` use the decisions; no picture is moved.

    wf suspects
    wf suspects --apply suspects.csv
    wf suspects --undo
    """
    project = call.project()
    if number is not None and not undo:
        raise UsageError(f"got '{number}', which is only for --undo", hint=f"wf suspects --gen {number}, or --undo")
    if undo and apply is not None:
        raise UsageError("--apply and --undo: use one of them")
    if undo:
        call.give(project.undo_suspects(number))
    elif apply is not None:
        call.give(project.apply_suspects(apply))
    else:
        with call.counting("looking", "pictures") as progress:
            found = project.suspects(snapshot, gen=gen, top=top, out=out, progress=progress)
        call.give(found, show=show)
