"""page.html: all results about one picture, on one page that needs no server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from workflow.report import embed
from workflow.report.html import fill
from workflow.storage import atomic_write

TITLES = {
    "grids": ("Layer by layer", "The activations of each layer, with their scale."),
    "maps": (
        "Parts of the picture that matter",
        "What each method finds important for the class. When the most important pixels are covered first, the "
        "probability should fall quickly.",
    ),
    "twin": (
        "Where it starts to look like the class",
        "Compared with the most similar training picture of the class: the layer where it starts to look like the "
        "class, and the channels and parts of the picture responsible.",
    ),
    "why": (
        "How the score adds up",
        "The contribution of each channel and cell after the last nonlinearity to the difference between the class "
        "and the next one.",
    ),
    "invert": (
        "What each layer keeps",
        "The picture reconstructed from each layer: what is missing here is unknown to all later layers.",
    ),
    "dream": (
        "What the class looks like to the net",
        "The picture that maximises the score of the class, found by gradient ascent.",
    ),
    "film": ("During training", "The same picture in every snapshot."),
}
"""The parts of the page, in their order: title, and what it shows."""


@dataclass(frozen=True, kw_only=True)
class Section:
    """A section of the page."""

    name: str
    """The anchor."""
    title: str
    lead: str
    """What it shows, in a sentence or two."""
    pictures: Mapping[str, Path]
    """What a picture shows -> PNG or GIF."""
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
