"""wf engines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from workflow.cli.options import Call

if TYPE_CHECKING:
    from workflow.engines.base import Status


def engines(call: Call) -> None:
    """List the engines that can run, and the fonts of pictures.

    wf engines
    wf engines --json
    """
    from dataclasses import asdict

    from workflow import fonts  # matplotlib, which --help does not need
    from workflow.engines import statuses  # numpy

    found, scripts = statuses(), fonts.report()
    text = f"{describe(found)}\n\n{describe_fonts(scripts)}"
    call.console.result({"engines": [asdict(status) for status in found], "fonts": scripts}, text)


def describe_fonts(scripts: Mapping[str, str | None]) -> str:
    """One line for each script: the font that draws it in pictures, or the package that has one."""
    from workflow.fonts import package

    width = max(map(len, scripts))
    return "\n".join(
        f"{script:{width}}  {font or f'no font; spelled out in pictures (Debian: apt install {package(script)})'}"
        for script, font in scripts.items()
    )


def describe(found: Sequence[Status]) -> str:
    """One line for each engine, and the way to get it."""
    lines = []
    for status in found:
        what = "trains and looks" if status.trains else "looks"
        lines.append(f"{status.name:6}  {status.version + ', ' + what if status.ready else 'not here'}")
        if status.hint:
            lines.append(f"        hint: {status.hint}")
    return "\n".join(lines)
