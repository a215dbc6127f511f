"""A net drawn from top to bottom: a box for each layer, an arrow for each blob."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from workflow.errors import UsageError
from workflow.report.canvas import INK, new_figure, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from workflow.models.anatomy import Anatomy, Part

_COLOURS = {
    "Input": "#dfe7f2",
    "Data": "#dfe7f2",
    "Convolution": "#f6d5b8",
    "Deconvolution": "#f6d5b8",
    "InnerProduct": "#e3d3ef",
    "Pooling": "#cfe6d6",
    "ReLU": "#f3eeb9",
    "Softmax": "#f5c9cf",
    "SoftmaxWithLoss": "#f5c9cf",
    "Accuracy": "#f5c9cf",
}
_PLAIN = "#ececf0"
_LINE = "#8a8f9c"
_WIDTH, _HEIGHT, _GAP = 3.2, 0.62, 0.36  # inches: a box, and what is between two rows

Edge = tuple[int, int, str]
"""From layer, to layer, the blob."""


def draw_net(net: Anatomy, out: Path) -> None:
    """Draw a net; the picture replaces an older one in one step.

    Args:
        net: from `models.anatomy`.
        out: a .png or .svg file.

    Raises:
        UsageError: another ending.
        OSError: as the operating system says it.
    """
    if out.suffix.lower() not in (".png", ".svg"):
        raise UsageError(f"cannot draw a net as '{out.name}'", hint="name a .png or a .svg file")
    edges = connections(net.parts)
    places = layout(len(net.parts), edges)
    columns = 1 + max((column for column, _ in places), default=0)
    rows = 1 + max((row for _, row in places), default=0)
    size = columns * (_WIDTH + 0.5) + 0.5, rows * (_HEIGHT + _GAP) + 0.9
    figure = new_figure(*size, dpi=110, free=True)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, size[0])
    axes.set_ylim(size[1], 0)
    axes.axis("off")
    axes.text(0.5, 0.42, f"{net.name or net.source.name}  ({net.phase})", weight="bold", color=INK, fontsize=11)
    centres = [
        (0.5 + column * (_WIDTH + 0.5) + _WIDTH / 2, 0.7 + row * (_HEIGHT + _GAP) + _HEIGHT / 2)
        for column, row in places
    ]
    for start, end, _ in edges:
        _arrow(axes, centres[start], centres[end], far=places[end][1] > places[start][1] + 1)
    for part, (x, y) in zip(net.parts, centres, strict=True):
        _box(axes, part, x, y)
    save(figure, out, out.suffix[1:].lower())


def connections(parts: tuple[Part, ...]) -> list[Edge]:
    """Which layer feeds which: the last one before it that made the blob, so that layers in place form a chain."""
    maker: dict[str, int] = {}
    edges: list[Edge] = []
    for index, part in enumerate(parts):
        edges += [(maker[name], index, name) for name in part.bottoms if name in maker]
        maker |= dict.fromkeys(part.tops, index)
    return edges


def layout(count: int, edges: list[Edge]) -> list[tuple[int, int]]:
    """(column, row) of each layer: a row below all that feed it, in the column of its first feeder if that is free."""
    places: list[tuple[int, int]] = []
    taken: set[tuple[int, int]] = set()
    for index in range(count):
        feeders = [start for start, end, _ in edges if end == index]
        row = max((places[one][1] + 1 for one in feeders), default=0)
        column = places[feeders[0]][0] if feeders else 0
        while (column, row) in taken:
            column += 1
        taken.add((column, row))
        places.append((column, row))
    return places


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float], *, far: bool) -> None:
    """Straight down to the next row; to a row further down on a way beside the boxes."""
    (x, y), (to_x, to_y) = start, end
    look = {"arrowstyle": "-|>", "color": _LINE, "linewidth": 1, "shrinkA": 0, "shrinkB": 0}
    if not far:
        axes.annotate("", (to_x, to_y - _HEIGHT / 2), (x, y + _HEIGHT / 2), arrowprops=look)
        return
    left, lane = x - _WIDTH / 2, min(x, to_x) - _WIDTH / 2 - 0.25
    above, into = to_y - _HEIGHT / 2 - 0.14, to_x - _WIDTH / 4
    axes.plot([left, lane, lane, into], [y, y, above, above], color=_LINE, linewidth=1)
    axes.annotate("", (into, to_y - _HEIGHT / 2), (into, above), arrowprops=look)


def _box(axes: Axes, part: Part, x: float, y: float) -> None:
    from matplotlib.patches import FancyBboxPatch

    patch = FancyBboxPatch(
        (x - _WIDTH / 2, y - _HEIGHT / 2),
        _WIDTH,
        _HEIGHT,
        boxstyle="round,pad=0,rounding_size=0.08",
        facecolor=_COLOURS.get(part.type, _PLAIN),
        edgecolor=_LINE,
        linewidth=0.8,
    )
    axes.add_patch(patch)
    shape = ", ".join("×".join(map(str, shape)) or "a number" for shape in part.tops.values())
    title = part.name if part.name == part.type else f"{part.name}  ({part.type})"
    for text, offset, weight, size in ((title, -0.11, "bold", 9), (shape, 0.14, "normal", 8)):
        axes.text(x, y + offset, text, ha="center", va="center", weight=weight, fontsize=size, color=INK)
