"""page.html: all that was found about one picture, on one page that needs no server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from workflow.report import embed
from workflow.report.html import fill
from workflow.storage import atomic_write

TITLES = {
    "grids": ("Layer by layer", "What each layer holds, with its values' scale."),
    "maps": (
        "The places that count",
        "Which places speak for the class, by each method: covered in its order, they should make the probability fall "
        "at once.",
    ),
    "twin": (
        "Where it joins the class",
        "Beside the training picture of the class that the net takes for most alike: the layer from which on it is "
        "among them, and the channels and places that carry it.",
    ),
    "why": (
        "How the score adds up",
        "Every channel and cell behind the last nonlinearity, and what it gave the class more than the next one.",
    ),
    "invert": (
        "What is left of it",
        "The picture rebuilt from what each layer keeps of it: what is gone here, the net cannot know further on.",
    ),
    "dream": (
        "What the class looks like to the net",
        "The pictures that most excite the class, found by going up its score.",
    ),
    "film": ("While it was trained", "The same picture in every snapshot."),
}
"""The parts of the page, in their order: title, and what it shows."""


@dataclass(frozen=True, kw_only=True)
class Section:
    """One way to look at the picture."""

    name: str
    """The anchor."""
    title: str
    lead: str
    """What it shows, in a sentence or two."""
    pictures: Mapping[str, Path]
    """What is drawn -> PNG or GIF."""
    words: str
    """The figures, as the command prints them; why there are none where `pictures` is empty."""


def write_picture_page(
    image: Path, snapshot: str, probabilities: Mapping[str, float], sections: Sequence[Section], out: Path
) -> Path:
    """Write the page, whole or not at all; every picture is inside it.

    Args:
        image: the picture file.
        snapshot: whose answer it is.
        probabilities: class -> 0..1; empty for a net without a Softmax layer.
        sections: in their order.
        out: the HTML file.

    Returns:
        The HTML file.

    Raises:
        OSError: as the operating system says it.
    """
    likely = sorted(probabilities.items(), key=lambda pair: -pair[1])
    text = fill(
        "picture.html.j2",
        {
            "image": image.name,
            "snapshot": snapshot,
            "original": embed.thumbnail(image),
            "likely": likely,
            "sections": [
                {
                    "name": one.name,
                    "title": one.title,
                    "lead": one.lead,
                    "words": one.words,
                    "pictures": [(name, embed.picture(path)) for name, path in one.pictures.items()],
                }
                for one in sections
            ],
        },
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    atomic_write(out, text.encode("utf-8", "replace"))
    return out
