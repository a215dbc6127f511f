"""confusion.png: the confusion matrix, each cell with its count and its share of the row, for 2 to 40 classes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workflow.report.canvas import INK, new_figure, save, set_title, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_DARK = 0.55  # from this depth of colour on, the words are white
_EMPTY = (0.965, 0.965, 0.975, 1.0)
_RED = 0.8  # depth of a cell with all pictures of its row, none of them right
_DPI = 110
_LONGEST = 24  # letters of a class's name


def draw_confusion(matrix: NDArray[np.int64], classes: Sequence[str], out: Path, *, title: str) -> None:
    """Draw the matrix: what is right in blue, what is wrong in red.

    Colours are shares of a row, so that a class with few pictures is seen as well as the others; those of red are
    roots of shares, so that 5 % of wrong ones are seen beside 80 % of right ones.

    Args:
        matrix: int64 (C, C), a row for each true class, a column for each predicted one.
        classes: their names.
        out: the PNG to write; folders are made.
        title: above it.

    Raises:
        OSError: as the operating system says it.
    """
    from matplotlib import colormaps

    count = len(classes)
    rates = matrix / np.maximum(matrix.sum(1, keepdims=True), 1)
    side = _side(count)
    names = [shortened(name, _LONGEST) for name in classes]
    words = 0.09 * max(map(len, names))  # inches that the longest name takes
    extent = side * count
    figure = new_figure(max(extent + words + 1.4, 5), extent + words + 1.5, dpi=_DPI)
    panel = figure.subplots()
    right = np.eye(count, dtype=bool)
    depth = np.where(right, rates, np.sqrt(rates) * _RED)
    colours = np.where(right[..., None], colormaps["Blues"](depth), colormaps["Reds"](depth))  # (C, C, RGBA)
    colours[matrix == 0] = _EMPTY
    panel.imshow(colours)
    size = 9 if count <= 12 else 7.5
    panel.set_xticks(range(count), names, fontsize=size, color=INK, rotation=90 if count > 2 else 0)
    panel.set_yticks(range(count), names, fontsize=size, color=INK)
    panel.set_xlabel("predicted class", color=INK)
    panel.set_ylabel("it is", color=INK)
    panel.set_xticks(np.arange(-0.5, count), minor=True)
    panel.set_yticks(np.arange(-0.5, count), minor=True)
    panel.grid(which="minor", color="white", linewidth=1)
    panel.tick_params(which="both", length=0)
    panel.spines[:].set_visible(False)
    _write_cells(panel, matrix, rates, depth, shares=count <= 20)
    set_title(figure, title)
    save(figure, out)


def _side(count: int) -> float:
    """Inches of a cell: what its words need."""
    return 1.1 if count <= 4 else 0.62 if count <= 20 else 0.36


def _write_cells(
    panel: Axes, matrix: NDArray[np.int64], rates: NDArray[np.float64], depth: NDArray[np.float64], *, shares: bool
) -> None:
    """The words in the cells; an empty cell stays empty."""
    for row, column in np.argwhere(matrix):
        count, rate = int(matrix[row, column]), float(rates[row, column])
        panel.text(
            column,
            row,
            f"{count:,}\n{_percent(rate)}" if shares else _short(count),
            ha="center",
            va="center",
            fontsize=8.5 if shares else 7,
            linespacing=1.3,
            color="white" if depth[row, column] >= _DARK else INK,
            fontweight="bold" if row == column else "normal",
        )


def _percent(rate: float) -> str:
    return f"{rate:.0%}" if rate >= 0.0995 or rate == 0 else f"{rate:.1%}"


def _short(count: int) -> str:
    """Four letters at most."""
    return str(count) if count < 10_000 else f"{count / 1000:.0f}k"
