"""A figure whose panels stand at places given in inches: for matplotlib to find places takes a quarter of the time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from workflow.fonts import text_width
from workflow.report.canvas import INK, in_lines, new_figure, set_title

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LINE, _EDGE = 0.2, 0.08  # inches: of a line of the title, and around the figure
_NOTE = 0.2
_MEASURED = 100  # pixels of the letters that are measured
_HINTED = 1.15  # small letters are drawn up to so much wider, so that their strokes begin at whole pixels


class Sheet:
    """An empty figure of that many inches, with a title above and a note below, which come on top of the height.

    Args:
        width, height: inches.
        title: broken into lines that fit.
        note: one line; may be empty.
        dpi: pixels of an inch.
    """

    def __init__(self, width: float, height: float, title: str, *, note: str = "", dpi: int = 100) -> None:
        self._above = 2 * _EDGE + _LINE * (in_lines(title, width).count("\n") + 1)
        whole = self._above + height + _EDGE + (_NOTE if note else 0)
        self.figure = new_figure(width, whole, dpi=dpi, free=True)
        set_title(self.figure, title, y=1 - _EDGE / whole)
        self.figure.supxlabel(note, y=_EDGE / whole, fontsize=9, color=INK)

    def panel(self, left: float, top: float, width: float, height: float) -> Axes:
        """A panel of that many inches, from the left edge and from the lower end of the title."""
        across, whole = self.figure.get_size_inches()
        bottom = whole - self._above - top - height
        return self.figure.add_axes((left / across, bottom / whole, width / across, height / whole))

    def words(self, top: float, text: str) -> None:
        """A line in the middle, so many inches below the title."""
        whole = self.figure.get_figheight()
        self.figure.text(0.5, 1 - (self._above + top) / whole, text, ha="center", va="top", fontsize=10, color=INK)


def widest(words: Iterable[str], points: float) -> float:
    """Inches that suffice for any of some lines of text in letters of that many points; 0 for none."""
    return max((text_width(one, _MEASURED) for one in words), default=0.0) / _MEASURED * _HINTED * points / 72
