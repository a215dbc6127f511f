"""wf engines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from workflow.cli.options import Call

if TYPE_CHECKING:
    from workflow.engines.base import Status


def engines(call: Call) -> None:
    """Tell which engines can run here, and how to get the others.

    wf engines
    wf engines --json
    """
    from dataclasses import asdict

    from workflow.engines import statuses  # numpy, which --help does not need

    found = statuses()
    call.console.result({"engines": [asdict(status) for status in found]}, describe(found))


def describe(found: Sequence[Status]) -> str:
    """One line for each engine, and the way to get it."""
    lines = []
    for status in found:
        what = "trains and looks" if status.trains else "looks"
        lines.append(f"{status.name:6}  {status.version + ', ' + what if status.ready else 'not here'}")
        if status.hint:
            lines.append(f"        hint: {status.hint}")
    return "\n".join(lines)
