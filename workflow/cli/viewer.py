"""Open pictures on the desktop, if there is one."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from workflow.cli.console import Console


def show_pictures(console: Console, pictures: Sequence[Path]) -> None:
    """Open pictures with the desktop's program; without a desktop, print a message."""
    if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        console.warn("there is no display to show pictures; they are in the files listed above")
        return
    for picture in pictures:
        if click.launch(str(picture)) != 0:
            console.warn(f"no program found to open {picture}")
            return
