"""Everything about one picture on one page, made of what the snapshot's own methods find."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workflow.api.result import Finding, is_picture
from workflow.errors import EnvironmentFault, WorkflowError

if TYPE_CHECKING:
    from workflow.api.snapshot import Progress, Snapshot
    from workflow.report.picture_page import Section

Counting = Callable[[str, str], "Progress"]


def write_page(snapshot: Snapshot, image: Path, folder: Path | None, counting: Counting | None) -> Path:
    """See `Snapshot.page`."""
    from workflow.report.picture_page import TITLES, write_picture_page

    home = folder or snapshot.model.place.picture(image)
    found = snapshot.inspect(image)

    def told(what: str, things: str) -> Progress | None:
        return None if counting is None else counting(what, things)

    looks: dict[str, Callable[[], Finding[Any]]] = {
        "grids": lambda: snapshot.compare([image]),
        "maps": lambda: snapshot.maps(image, progress=told("mapping", "maps")),
        "twin": lambda: snapshot.twin(image, progress=told("looking at the training set", "pictures")),
        "why": lambda: snapshot.why(image, progress=told("looking at the training set", "pictures")),
        "invert": lambda: snapshot.invert(image, progress=told("rebuilding", "steps")),
        "dream": lambda: snapshot.dream(found.found.label or "0", progress=told("dreaming", "steps")),
        "film": lambda: snapshot.film(image, progress=told("filming", "snapshots")),
    }
    words = {"grids": found.words()}
    sections = [_section(name, looks[name], home, words.get(name)) for name in TITLES]
    return write_picture_page(image, snapshot.name, found.found.probabilities, sections, home / "page.html")


_SHOWN = {"dream": ("sheet",), "film": ("strip",)}
"""Of the looks that draw several pictures, what the page shows."""


def _section(name: str, look: Callable[[], Finding[Any]], folder: Path, words: str | None) -> Section:
    """One part of the page; if it cannot be done, the reason."""
    from workflow.report.picture_page import TITLES, Section

    title, lead = TITLES[name]
    try:
        found = look()
        drawn = {key: path for key, path in found.draw(folder).items() if is_picture(path)}
        pictures = {key: drawn[key] for key in _SHOWN.get(name, drawn)}
        text = words or found.words()
    except EnvironmentFault:
        raise
    except WorkflowError as error:
        pictures, text = {}, f"Not available: {error.message}."
    return Section(name=name, title=title, lead=lead, pictures=pictures, words=text)
