"""compare-BLOB.png: pictures side by side, with the inputs, grids and histograms of a blob."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from workflow.data.channel_order import to_rgb
from workflow.interpretation.activations.side_by_side import titles
from workflow.report.canvas import INK, save, shortened, snapshot_name, tiled
from workflow.report.sheet import Sheet
from workflow.words import counted, drawn, table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from workflow.config import Preprocessing
    from workflow.interpretation.activations.side_by_side import Compared, Comparison, Statistics

_BAR = "#4a6fa5"

_LEFT, _COLUMN, _GRID = 0.8, 3.9, 3.0  # inches: before the first grid, from one to the next, and of its sides
_INPUT = (1.4, 1.5)  # inches, as are the following upper edges
_GRID_TOP, _HISTOGRAM_TOP, _HEIGHT = 2.35, 5.65, 7.1


def draw_comparison(found: Comparison, preprocessing: Preprocessing, folder: Path) -> dict[str, Path]:
    """One PNG for each blob: a column for each picture.

    Args:
        found: of `interpretation.activations.side_by_side.compare`.
        preprocessing: the snapshot's, for the order of channels.
        folder: where `compare-BLOB.png` goes; made if need be.

    Returns:
        Blob -> its picture.

    Raises:
        OSError: as the operating system says it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pictures = {}
    for blob in found.blobs:
        pictures[blob.name] = folder / f"compare-{blob.name.replace('/', '_')}.png"
        _draw(found, blob, preprocessing, pictures[blob.name])
    return pictures


def _draw(found: Comparison, blob: Compared, preprocessing: Preprocessing, out: Path) -> None:
    columns = len(found.images)
    end = _COLUMN * columns
    sheet = Sheet(end + 0.85, _HEIGHT, f"{blob.name} in {snapshot_name(found.snapshot)}")
    for column in range(columns):
        left = _LEFT + _COLUMN * column
        first, second = (sheet.panel(at, 0.4, *_INPUT) for at in (left - 0.1, left + _GRID + 0.1 - _INPUT[0]))
        _draw_input(first, second, found, column, preprocessing)
        grid = sheet.panel(left, _GRID_TOP, _GRID, _GRID)
        _draw_grid(grid, blob, column)
        _draw_histogram(sheet.panel(left, _HISTOGRAM_TOP, _GRID, 1), blob, column)
    _colour_bar(blob, grid, sheet.panel(end + 0.02, _GRID_TOP, 0.15, _GRID))
    save(sheet.figure, out)


def _draw_input(first: Axes, second: Axes, found: Comparison, column: int, preprocessing: Preprocessing) -> None:
    values = found.inputs[column]
    most = float(np.abs(values).max()) or 1.0
    seen = np.clip(np.rint(values / most * 127 + 128), 0, 255).astype(np.uint8)
    first.imshow(to_rgb(found.pixels[column], preprocessing), interpolation="nearest")
    title = f"{shortened(titles(found.images)[column], 22)}\n{shortened(found.words[column], 22)}".strip()
    first.set_title(title, fontsize=8, color=INK)
    second.imshow(to_rgb(seen, preprocessing), interpolation="nearest")
    second.set_title(f"input of the net\n{values.min():.3g} to {values.max():.3g}, 0 is grey", fontsize=8, color=INK)
    for panel in (first, second):
        panel.set_xticks([])
        panel.set_yticks([])


def _draw_grid(panel: Axes, blob: Compared, column: int) -> None:
    most = blob.ranges[:, 1]
    scaled = blob.maps[column] / np.where(most > 0, most, 1)[:, None, None]  # each channel's own end is 1
    height, width = scaled.shape[1:]
    side = math.ceil(math.sqrt(len(scaled)))
    colours = "RdBu_r" if blob.signed else "inferno"
    panel.imshow(tiled(scaled), cmap=colours, vmin=-1 if blob.signed else 0, vmax=1, interpolation="nearest")
    panel.set_facecolor("#c9ccd4")
    rows = math.ceil(len(scaled) / side)
    panel.set_yticks([row * (height + 1) + (height - 1) / 2 for row in range(rows)])
    labels = [blob.channels[row * side : (row + 1) * side] for row in range(rows)]
    in_order = blob.channels == tuple(range(len(blob.channels)))
    words = [f"{row[0]}–{row[-1]}" if len(row) > 1 else " ".join(map(str, row)) for row in labels]
    panel.set_yticklabels(words if in_order else [""] * rows, fontsize=7)
    panel.set_xticks([])
    panel.set_ylabel("channels" if in_order else "", fontsize=8)
    if not in_order:
        for place, channel in enumerate(blob.channels):
            at = ((place % side) * (width + 1) - 0.4, (place // side) * (height + 1) - 0.4)
            box = {"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 0.6}
            panel.text(*at, str(channel), fontsize=6, color=INK, va="top", ha="left", bbox=box)
    panel.set_title(describe(blob.statistics[column]), fontsize=8, color=INK)


def describe_comparison(found: Comparison, pictures: Mapping[str, Path] | None = None) -> str:
    """The pictures, and where each blob of them is drawn; or what each blob holds."""
    if pictures:
        return "\n".join(["side by side", *(f"  {line}" for line in drawn(pictures))])
    rows = [["", *titles(found.images)], ["", *found.words]]
    rows += [[blob.name, *(describe(one).replace("\n", ", ") for one in blob.statistics)] for blob in found.blobs]
    return "\n".join([f"side by side in {found.snapshot}", *table(rows, left=range(len(rows[0])))])


def describe(one: Statistics) -> str:
    """The statistics in two short lines."""
    dead = f"{counted(len(one.dead), 'dead channel')}"
    return (
        f"{one.minimum:.3g} to {one.maximum:.3g}, mean {one.mean:.3g}, sd {one.sd:.3g}\n{one.zeros:.0%} zeros, {dead}"
    )


def _draw_histogram(panel: Axes, blob: Compared, column: int) -> None:
    least, most = float(blob.every.min()), float(blob.every.max())  # all channels, as the statistics above are
    edges = np.linspace(least, most if most > least else least + 1, 41)
    panel.hist(blob.every[column].ravel(), bins=edges.tolist(), color=_BAR, log=True)
    panel.yaxis.set_major_formatter("{x:,.0f}")
    panel.set_xlim(edges[0], edges[-1])
    panel.tick_params(labelsize=7)
    panel.set_xlabel("value", fontsize=8)
    panel.set_ylabel("how many", fontsize=8)
    panel.spines[["top", "right"]].set_visible(False)


def _colour_bar(blob: Compared, grid: Axes, place: Axes) -> None:
    most = blob.ranges[:, 1]
    bar = grid.figure.colorbar(grid.images[0], cax=place)
    bar.set_ticks([-1, 0, 1] if blob.signed else [0, 1])
    if bool((most == most[0]).all()):
        end = f"{float(most[0]):.3g}"
        bar.set_ticklabels([f"-{end}", "0", end] if blob.signed else ["0", end])
    else:
        bar.set_label("of each channel's own maximum", fontsize=8)
    bar.ax.tick_params(labelsize=7)
