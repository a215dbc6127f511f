"""Opening pictures on the desktop, where there is one."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import typer

from workflow.cli.console import Console


def show_pictures(console: Console, pictures: Sequence[Path]) -> None:
    """Open pictures with the program that the desktop has for them; without a desktop, say so."""
    if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        console.warn("there is no display to show pictures on; they are in the files named above")
        return
    for picture in pictures:
        if typer.launch(str(picture)) != 0:
            console.warn(f"no program here opens {picture}")
            return
