"""wf engines."""

from __future__ import annotations

from workflow.cli.options import Call


def engines(call: Call) -> None:
    """List the engines that can run, and the fonts for pictures.

    wf engines
    wf engines --json
    """
    from workflow.api.machine import engines

    call.give(engines())
