"""The engines and fonts of this machine in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workflow.engines.status import Status


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
        what = "trains, inspects" if status.trains else "inspects"
        lines.append(f"{status.name:6}  {status.version + ', ' + what if status.ready else 'not installed'}")
        if status.hint:
            lines.append(f"        hint: {status.hint}")
    return "\n".join(lines)
