"""wf engines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow.cli.options import Call

if TYPE_CHECKING:
    pass


def engines(call: Call) -> None:
    """List the engines that can run, and the fonts for pictures.

    wf engines
    wf engines --json
    """
    from dataclasses import asdict

    from workflow import fonts  # matplotlib, which --help does not need
    from workflow.engines import statuses  # numpy
    from workflow.report.engines import describe, describe_fonts

    found, scripts = statuses(), fonts.report()
    text = f"{describe(found)}\n\n{describe_fonts(scripts)}"
    call.console.result({"engines": [asdict(status) for status in found], "fonts": scripts}, text)
