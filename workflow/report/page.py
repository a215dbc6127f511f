"""report.html: everything about a generation on one page that needs no server, and the same facts as JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workflow.report.html import fill
from workflow.storage import atomic_write, write_document

TITLES = {
    "data": "Data",
    "trend": "All generations",
    "curves": "Training",
    "confusion": "Confusion",
    "mistakes": "Mistakes",
    "diff": "Difference",
    "junk": "Junk",
    "suspects": "Suspects",
    "made": "How it was made",
}
_ALWAYS = ("data", "confusion", "mistakes", "made")


def write_page(facts: Mapping[str, Any], pictures: Mapping[str, Any], out: Path, *, project: Path = Path()) -> Path:
    """Write the page, and its facts beside it under the same name with .json; each whole or not at all.

    Args:
        facts: JSON's own types only: `report.facts.gather` says what is in them.
        pictures: data URIs: `curves`, `trend`, `junk` (one each, or None), `grids` (a list).
        out: the HTML file.
        project: the project folder, which paths in the facts are relative to when they are written.

    Returns:
        The HTML file.

    Raises:
        OSError: as the operating system says it.
    """
    beside = out.with_suffix(".json")
    text = render(facts, pictures, facts_name=beside.name)
    write_document(beside, facts, project=project)
    atomic_write(out, text.encode("utf-8", "replace"))
    return out


def render(facts: Mapping[str, Any], pictures: Mapping[str, Any], *, facts_name: str) -> str:
    """The page as text."""
    shown_sections = [
        (name, title)
        for name, title in TITLES.items()
        if name in _ALWAYS or (pictures if name in ("curves", "trend") else facts).get(name)
    ]
    return fill(
        "report.html.j2",
        {
            **facts,
            **pictures,
            "junk": _junk(facts, pictures),
            "sections": shown_sections,
            "facts_name": facts_name,
        },
        {"shown": shown, "percent": percent, "points": points, "thousands": lambda number: f"{number:,}"},
    )


def _junk(facts: Mapping[str, Any], pictures: Mapping[str, Any]) -> dict[str, Any] | None:
    junk = facts.get("junk")
    return None if junk is None else {**junk, "plot": pictures.get("junk")}


# ---- numbers and paths as text ----


def percent(share: float | None) -> str:
    """`93.5 %`; `n/a` for what is 0/0."""
    if share is None or math.isnan(share):
        return "n/a"
    return f"{100 * share:.1f} %"


def points(difference: float) -> str:
    """`+1.2 points`: a difference of two shares."""
    return f"{100 * difference:+.1f} points".replace("-", "−")


def shown(path: str) -> str:
    """The end of a path that identifies a picture: the last folder and the name."""
    return "/".join(Path(path).parts[-2:])
