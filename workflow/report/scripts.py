"""Which font draws which script in pictures, as `wf engines` tells it."""

from __future__ import annotations

import os
from pathlib import Path

from workflow.fonts import default, font_of
from workflow.remembered import remembered

SAMPLES = {
    "Latin, Greek, Cyrillic": "aλж",
    "Arabic": "قط",
    "Chinese, Japanese": "猫ね",
    "Korean": "고양이",
    "Devanagari": "बिल्ली",
    "Thai": "แมว",
    "emoji": "🦊",
}
"""Scripts that `wf engines` reports on, each with characters that stand for it."""


def scripts() -> dict[str, str | None]:
    """Each script of `SAMPLES` -> the name of the font that draws it; None where none does."""
    found: dict[str, str | None] = remembered("fonts", folders(), _scripts)
    return found


def folders() -> list[Path]:
    """The folders that fonts are found in; one that is not there yet is among them, too."""
    data = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    found = [default().parent]
    for root in ("/usr/share/fonts", "/usr/local/share/fonts", "/usr/X11R6/lib/X11/fonts", f"{data}/fonts", "~/.fonts"):
        whole = Path(root).expanduser()
        found += [whole, *(Path(here, name) for here, names, _ in os.walk(whole) for name in names)]
    return found


def _scripts() -> dict[str, str | None]:
    found = {}
    for script, sample in SAMPLES.items():
        fonts = [font_of(character) for character in sample]
        found[script] = None if None in fonts else ", ".join(dict.fromkeys(font.stem for font in fonts if font))
    return found
