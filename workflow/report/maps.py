"""maps.png: the picture, the map of each method, and its deletion and insertion curves."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from workflow.data.channel_order import to_rgb
from workflow.report.canvas import BLUE, INK, RED, save, snapshot_name
from workflow.report.sheet import Sheet
from workflow.words import drawn, table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from workflow.config import Preprocessing
    from workflow.interpretation.attribution.explain import Explanation, Map

_COLUMN, _LEFT, _SIDE = 2.3, 0.17, 1.95  # inches: from one column to the next, to its panels, and of their width
_MAP_TOP, _BAR_TOP, _CURVES_TOP, _CURVES, _HEIGHT = 0.4, 2.43, 3.05, 1.6, 5.05


def draw_maps(found: Explanation, preprocessing: Preprocessing, out: Path) -> None:
    """Draw one column for each method, the picture first and the maps of chance last.

    Args:
        found: of `explain`.
        preprocessing: the snapshot's, for the order of channels.
        out: the PNG to write; folders are made.

    Raises:
        OSError: as the operating system says it.
    """
    columns = len(found.maps) + 2
    watched = "probability" if found.target.class_name is not None else "value"
    name = snapshot_name(found.snapshot)
    title = f"{found.image.name}: evidence for {found.target.title} in {name} ({watched} {found.value:.3g})"
    sheet = Sheet(_COLUMN * columns, _HEIGHT, title, dpi=90)
    picture = to_rgb(found.pixels, preprocessing)
    _draw_picture(sheet.panel(_LEFT, _MAP_TOP, _SIDE, _SIDE), picture)
    _explain_curves(sheet.panel(_LEFT, _CURVES_TOP, _SIDE, _CURVES))
    for column, one in enumerate((*found.maps, found.baseline), start=1):
        left = _LEFT + _COLUMN * column
        bar = sheet.panel(left, _BAR_TOP, _SIDE, 0.12)
        _draw_map(sheet.panel(left, _MAP_TOP, _SIDE, _SIDE), bar, picture, one)
        _draw_curves(sheet.panel(left, _CURVES_TOP, _SIDE, _CURVES), one, first=column == 1)
    save(sheet.figure, out)


def _draw_picture(panel: Axes, picture: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> None:
    panel.imshow(picture, interpolation="nearest")
    panel.set_title("the input of the net", fontsize=9, color=INK)
    panel.set_axis_off()


def _draw_map(panel: Axes, place: Axes, picture: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], one: Map) -> None:
    """The heat over a faint grey picture; signed maps red for and blue against, others dark to bright from 0."""
    most = float(np.abs(one.heat).max()) or 1.0
    least = -most if one.signed else min(0.0, float(one.heat.min()))
    panel.imshow(picture.mean(2), cmap="gray", vmin=-120, vmax=375, interpolation="nearest")
    shown = panel.imshow(
        one.heat,
        cmap="RdBu_r" if one.signed else "inferno",
        vmin=least,
        vmax=most,
        alpha=0.7,
        interpolation="nearest",
    )
    complete = "" if one.incompleteness is None else f"\ncomplete within {one.incompleteness:.1%}"
    panel.set_title(f"{one.method}{complete}", fontsize=9, color=INK)
    panel.set_axis_off()
    bar = panel.figure.colorbar(shown, cax=place, orientation="horizontal")
    bar.set_ticks([least, 0, most] if least < 0 else [0, most])
    bar.set_ticklabels([f"{tick:.2g}" for tick in bar.get_ticks()])
    bar.ax.tick_params(labelsize=7, length=2)


def _draw_curves(panel: Axes, one: Map, *, first: bool) -> None:
    share = np.linspace(0, 100, len(one.deletion_curve))
    panel.plot(share, one.deletion_curve, color=RED)
    panel.plot(share, one.insertion_curve, color=BLUE)
    panel.set_title(f"deletion {one.deletion:.3f}   insertion {one.insertion:.3f}", fontsize=8, color=INK)
    panel.set_xlim(0, 100)
    panel.set_ylim(min(0.0, *one.deletion_curve, *one.insertion_curve), max(1.02, *one.insertion_curve))
    panel.tick_params(labelsize=7)
    panel.set_xlabel("% of places", fontsize=8)
    if not first:
        panel.set_yticklabels([])
    panel.spines[["top", "right"]].set_visible(False)


def _explain_curves(panel: Axes) -> None:
    panel.set_axis_off()
    deletion = "the most important pixels\nare covered first: with a good\nmap it falls quickly"
    insertion = "they are restored first in\na blurred picture: with a good\nmap it rises quickly"
    for top, name, words, colour in ((1, "deletion", deletion, RED), (0.45, "insertion", insertion, BLUE)):
        panel.text(0, top, name, color=colour, fontsize=10, fontweight="bold", va="top")
        panel.text(0, top - 0.13, words, fontsize=8, color=INK, va="top")


def describe(found: Explanation, pictures: Mapping[str, Path] | None = None) -> str:
    """A line for each map, the best first, chance last."""
    ranked = sorted(found.maps, key=lambda one: one.deletion)
    rows = [["", "deletion", "insertion"]]
    for one in (*ranked, found.baseline):
        rows.append([one.method, f"{one.deletion:.3f}", f"{one.insertion:.3f}"])
    watched = "probability" if found.target.class_name is not None else "value"
    head = f"{found.image}, {found.target.title} in {found.snapshot}: {watched} {found.value:.4g}"
    complete = [one.incompleteness for one in found.maps if one.incompleteness is not None]
    lines = [head, *table(rows), "deletion: lower is better; insertion: higher is better"]
    lines += [f"integrated gradients sum to the difference of the scores, within {gap:.2%}" for gap in complete]
    return "\n".join([*lines, *drawn(pictures)])
