"""film.gif and film.png: the activations and predictions of one picture during training."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from workflow.data.channel_order import to_rgb
from workflow.report.canvas import INK, frames, new_figure, save, save_film, set_title, tiled
from workflow.words import drawn, table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from workflow.config import Preprocessing
    from workflow.interpretation.activations.film import Film

_CLASSES = 5

_COLUMNS = 8  # snapshots in the strip, first and last among them
_CURVES = 5  # classes that are drawn: those that ever were the most probable
MILLISECONDS, LAST = 500, 2000
"""How long a frame is shown, and the last one."""


def draw_film(film: Film, preprocessing: Preprocessing, folder: Path) -> dict[str, Path]:
    """Write the film and the strip.

    One colour scale for each blob over all snapshots: signed blobs diverge from 0, others begin there.

    Args:
        film: of `interpretation.activations.film.shoot`.
        preprocessing: the generation's, for the order of channels.
        folder: where to; it is made.

    Returns:
        `film` and `strip` -> their paths.

    Raises:
        OSError: as the operating system says it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = {"film": folder / "film.gif", "strip": folder / "film.png"}
    draw_strip(film, preprocessing, paths["strip"])
    pages = (_page(film, preprocessing, [number], number) for number in range(len(film.iterations)))
    save_film(frames(pages), paths["film"], milliseconds=MILLISECONDS, last=LAST)
    return paths


def draw_strip(film: Film, preprocessing: Preprocessing, out: Path) -> None:
    """Write the strip alone, of some of the snapshots if there are many; arguments and errors as of `draw_film`."""
    shown = sorted(set(np.linspace(0, len(film.iterations) - 1, _COLUMNS).round().astype(int).tolist()))
    save(_page(film, preprocessing, shown, None), out)


def _page(film: Film, preprocessing: Preprocessing, shown: list[int], marked: int | None) -> Figure:
    """The curve above; below a column for each shown snapshot, or the blobs of one snapshot beside each other."""
    blobs = list(film.maps)
    single = marked is not None
    rows, columns = (1, len(blobs)) if single else (len(blobs), len(shown))
    size = (max(8.0, 3.0 * columns), 5.6) if single else (max(8.0, 2.3 * columns + 0.6), 2.3 * rows + 2.6)
    figure = new_figure(*size, dpi=80 if single else 100)
    grid = figure.add_gridspec(1 + rows, columns, height_ratios=[1.0] + [1.35 if single else 1.1] * rows)
    head = grid[0, :].subgridspec(1, 4)
    picture = figure.add_subplot(head[0, 0])
    picture.imshow(to_rgb(film.pixels, preprocessing), interpolation="nearest")
    picture.set_axis_off()
    _draw_curves(figure.add_subplot(head[0, 1:]), film, marked)
    for row, name in enumerate(blobs):
        maps = film.maps[name]
        most = float(np.abs(maps).max()) or 1.0
        signed = bool((maps < 0).any())
        for column, number in enumerate(shown):
            panel = figure.add_subplot(grid[1, row] if single else grid[1 + row, column])
            colours, least = ("RdBu_r", -most) if signed else ("inferno", 0.0)
            panel.imshow(tiled(maps[number]), cmap=colours, vmin=least, vmax=most, interpolation="nearest")
            panel.set_xticks([])
            panel.set_yticks([])
            if single:
                panel.set_title(f"{name}, {least:.3g} to {most:.3g}", fontsize=9, color=INK)
            elif row == 0:
                panel.set_title(f"iteration {film.iterations[number]:,}", fontsize=8, color=INK)
            if column == 0 and not single:
                panel.set_ylabel(f"{name}\n{least:.3g} to {most:.3g}", fontsize=8, color=INK)
    now = "" if marked is None else f", iteration {film.iterations[marked]:,}"
    title = f"{film.image.name} through {film.generation}{now}"
    set_title(figure, title)
    return figure


def _draw_curves(panel: Axes, film: Film, marked: int | None) -> None:
    best = film.probabilities.max(0).argsort()[::-1][:_CURVES].tolist()
    for number in best:
        panel.plot(film.iterations, film.probabilities[:, number], marker="o", markersize=3, label=film.classes[number])
    if marked is not None:
        panel.axvline(film.iterations[marked], color=INK, linewidth=0.8)
    panel.set_ylim(-0.02, 1.02)
    panel.set_ylabel("probability", fontsize=8)
    panel.set_xlabel("iteration", fontsize=8)
    panel.tick_params(labelsize=7)
    panel.legend(fontsize=7, loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    panel.spines[["top", "right"]].set_visible(False)


def describe(found: Film, pictures: Mapping[str, Path] | None = None) -> str:
    """A line for each snapshot: the probabilities of the classes that the last finds most likely."""
    order = found.probabilities[-1].argsort()[::-1][:_CLASSES]
    rows = [["iteration", *(found.classes[number] for number in order)]]
    rows += [
        [f"{iteration:,}", *(f"{share:.4f}" for share in shares[order])]
        for iteration, shares in zip(found.iterations, found.probabilities, strict=True)
    ]
    return "\n".join([f"{found.image} through {found.generation}", *table(rows), *drawn(pictures)])
