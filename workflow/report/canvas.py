"""Helpers for all drawings: figures with text in any script, colours, pictures as arrays, saving."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workflow.fonts import families, readable
from workflow.storage import replacing

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from PIL import Image


INK = "#33333d"
"""Text."""
RED, BLUE = "#b2182b", "#2166ac"
"""For a class and against it, the ends of the colour map RdBu_r."""

_MARK = "wf"
_LETTERS = 8.6  # letters of a bold 12-point title to an inch


def new_figure(width: float, height: float, *, dpi: int = 100, free: bool = False) -> Figure:
    """An empty figure of that many inches; matplotlib arranges its panels, unless it is `free`."""
    from matplotlib.figure import Figure  # half a second to import, and only drawing needs it

    return Figure(figsize=(width, height), dpi=dpi, layout=None if free else "constrained")


def set_title(figure: Figure, text: str, *, y: float | None = None) -> None:
    """A title above the figure, in lines that fit it; `y` is its upper edge, 0..1, else matplotlib chooses it."""
    figure.suptitle(in_lines(text, figure.get_figwidth()), y=y, color=INK, fontweight="bold", fontsize=12)


def in_lines(title: str, width: float) -> str:
    """A title in lines that fit so many inches."""
    letters = max(20, int(width * _LETTERS))
    return "\n".join(textwrap.fill(line, letters) for line in title.split("\n"))


def save(figure: Figure, out: Path, kind: str = "png", *, mark: str | None = None) -> None:
    """Write a figure, whole or not at all; folders are made.

    Args:
        figure: all its texts are drawn as they are: a `$` begins no formula, and letters that the default font lacks
            come from another one.
        out: the file.
        kind: `png` or `svg`.
        mark: kept in a PNG; see `marked`.

    Raises:
        OSError: as the operating system says it.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    if kind == "png":
        save_png(rendered(figure), out, mark=mark)
        return
    _set_fonts(figure)
    with replacing(out) as temporary:
        figure.savefig(temporary, format=kind)


def save_png(picture: Image.Image, out: Path, *, mark: str | None = None) -> None:
    """Write a picture, whole or not at all; `mark` is kept in it, see `marked`.

    Raises:
        OSError: as the operating system says it.
    """
    from PIL.PngImagePlugin import PngInfo

    notes = PngInfo()
    if mark is not None:
        notes.add_text(_MARK, mark)
    with replacing(out) as temporary:
        picture.save(temporary, format="PNG", compress_level=4, pnginfo=notes)  # half the time of 6, a tenth more bytes


def marked(out: Path, mark: str) -> bool:
    """Whether the file is a PNG that was saved with this mark: what it shows has not changed since it was drawn."""
    try:
        with out.open("rb") as file:
            return f"{_MARK}\0{mark}".encode() in file.read(1024)  # a note stands before the pixels
    except OSError:
        return False


def rendered(figure: Figure) -> Image.Image:
    """A figure as a picture; drawn once, where `savefig` draws twice for the same pixels."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    _set_fonts(figure)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]  # matplotlib declares no types for it
    drawn = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]  # matplotlib declares no types for it
    return Image.fromarray(drawn).convert("RGB")


def frames(pages: Iterable[Figure]) -> list[Image.Image]:
    """Figures with the same panels as the pictures of a film, in 256 colours.

    The panels of the first are arranged, which takes half the time of drawing; those of the others stand where its do.
    """
    from PIL import Image

    found: list[Image.Image] = []
    first: Figure | None = None
    for page in pages:
        if first is not None:
            _arrange_as(page, first)
        found.append(rendered(page).convert("P", palette=Image.Palette.ADAPTIVE))
        first = first or page
    return found


def save_film(frames: Sequence[Image.Image], out: Path, *, milliseconds: int, last: int) -> None:
    """Write pictures as a GIF that repeats; each is shown for `milliseconds`, the last one for `last`.

    Raises:
        OSError: as the operating system says it.
    """
    times = [milliseconds] * (len(frames) - 1) + [last]
    with replacing(out) as temporary:
        frames[0].save(temporary, format="gif", save_all=True, append_images=frames[1:], duration=times, loop=0)


def shortened(name: str, letters: int) -> str:
    """A name of at most so many letters: the middle of a longer one goes, so that a file keeps its ending."""
    if len(name) <= letters:
        return name
    tail = (letters - 1) // 3
    return f"{name[: letters - 1 - tail]}…{name[-tail:]}"


def snapshot_name(snapshot: str) -> str:
    """`gen5/iter_6000`, or a model file's name without its folders."""
    return Path(snapshot).name if snapshot.endswith((".caffemodel", ".h5")) else snapshot


def tiled(maps: NDArray[np.float32]) -> NDArray[np.float32]:
    """Maps (n, h, w) in a square of tiles, row by row, NaN between them: (rows (h + 1) - 1, side (w + 1) - 1)."""
    count, height, width = maps.shape
    side = math.ceil(math.sqrt(count))
    rows = math.ceil(count / side)
    board = np.full((rows * side, height + 1, width + 1), np.nan, np.float32)
    board[:count, :height, :width] = maps
    whole = board.reshape(rows, side, height + 1, width + 1).transpose(0, 2, 1, 3)
    return whole.reshape(rows * (height + 1), side * (width + 1))[:-1, :-1]


def _set_fonts(figure: Figure) -> None:
    from matplotlib.text import Text

    for panel in [one for outer in figure.axes for one in (outer, *outer.child_axes)]:
        if not panel.axison:  # finding the texts below would make tick labels that are never drawn
            panel.set(xticks=[], yticks=[])
        for axis in (panel.xaxis, panel.yaxis):
            labels = [tick.label1.get_text() for tick in axis.get_major_ticks()]
            if any(readable(label) != label for label in labels):  # an axis writes its labels again while it is drawn
                axis.set_ticks(axis.get_majorticklocs(), [readable(label) for label in labels])
    for text in figure.findobj(Text):
        assert isinstance(text, Text)  # noqa: S101  # findobj's type says Artist
        words = text.get_text()
        text.set_parse_math(False)
        if not words.isascii():
            text.set_text(readable(words))
            text.set_fontfamily(fonts := families(words))
            if len(fonts) > 1:
                text.set_fontweight("normal")  # the weight that the other font was found in


def _arrange_as(page: Figure, first: Figure) -> None:
    page.set_layout_engine("none")
    for panel, its in zip(page.axes, first.axes, strict=True):
        panel.set_position(its.get_position(original=True))
    for text, its_text in zip(page.texts, first.texts, strict=True):  # titles of the page
        text.set_position(its_text.get_position())
