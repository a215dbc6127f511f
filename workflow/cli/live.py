"""wf live."""

from __future__ import annotations

from typing import Annotated, Any

from workflow.cli.options import Call
from workflow.cli.parameters import Argument, Option


def live(
    call: Call,
    snapshot: Annotated[
        str | None, Argument(metavar="REF", help="Pin this snapshot: gen5/best, gen5/iter_6000.")
    ] = None,
    follow: Annotated[
        bool, Option("--follow", help="Unpin: use the newest generation whose training has finished.")
    ] = False,
    promote: Annotated[
        bool, Option("--promote", help="Pin the newest trained generation, unless wf diff says it is worse.")
    ] = False,
) -> None:
    """Show or choose the default snapshot.

    The default snapshot is the best of the newest generation whose training has finished, or the pinned one. To
    use new generations only if they are not worse, pin a snapshot and run wf live --promote after each training.

    wf live
    wf live gen5/best
    wf live --promote
    """
    from workflow.errors import UsageError

    if (snapshot is not None) + follow + promote > 1:
        raise UsageError("a snapshot, --follow and --promote cannot be used together")
    project = call.project()
    facts: dict[str, Any] = {}
    if snapshot is not None:
        project.pin(snapshot)
    elif follow:
        project.unpin()
    elif promote:
        with call.counting("evaluating", "pictures") as progress:
            facts = project.promote(progress=progress)
        none = "nothing to promote: no newer generation with finished training"
        call.console.say(none if facts["verdict"] is None else facts["verdict"]["words"])
    now = project.live()
    call.console.result(now.json() | facts, now.words())
