"""wf diff."""

from __future__ import annotations

from typing import Annotated

from workflow.cli.options import Call, EvaluationOut
from workflow.cli.parameters import Argument, Option
from workflow.paths import PathOrAddress


def diff(
    call: Call,
    before: Annotated[str, Argument(metavar="BEFORE", help="gen4 (its best snapshot) or gen4/iter_6000.")],
    after: Annotated[str, Argument(metavar="AFTER", help="gen5, gen5/iter_6000, or a .caffemodel of a generation.")],
    exam: Annotated[
        str | None,
        Option("--exam", metavar="GEN", help="Compare on this generation's test set (default: the newer one's)."),
    ] = None,
    folder: Annotated[
        PathOrAddress | None, Option("--folder", metavar="DIR", help="Use a labelled folder instead.")
    ] = None,
    history: Annotated[
        bool,
        Option("--history/--no-history", help="Look in all generations for pictures that changed more than once."),
    ] = True,
    out: EvaluationOut = None,
    show: Annotated[bool, Option("--show", help="Open the contact sheet.")] = False,
) -> None:
    """Compare two snapshots: what is fixed, broken, still wrong.

    Pictures that either snapshot was trained on are left out.

    wf diff gen4 gen5
    wf diff gen4/iter_6000 gen5/iter_6000 --exam gen4
    """
    with call.counting("evaluating", "pictures") as progress:
        found = call.project().diff(before, after, exam=exam, folder=folder, history=history, progress=progress)
    if out is None and found.home is None:  # a model from elsewhere: nothing is written
        call.console.result(found.json(), found.words())
    else:
        call.give(found, out, show=show)
