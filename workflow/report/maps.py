"""maps.png: the picture, the map of each method, and its deletion and insertion curves."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from workflow.data.channel_order import to_rgb
from workflow.report.canvas import BLUE, INK, RED, new_figure, save, set_title, snapshot_name
from workflow.words import drawn, table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from workflow.config import Preprocessing
    from workflow.interpretation.attribution.explain import Explanation, Map

_WIDTH = 2.3  # inches of a column


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
    figure = new_figure(_WIDTH * columns, 5.6, dpi=90)
    panels = figure.subplots(2, columns, squeeze=False, height_ratios=(1.25, 1))
    picture = to_rgb(found.pixels, preprocessing)
    panels[0, 0].imshow(picture, interpolation="nearest")
    panels[0, 0].set_title("the input of the net", fontsize=9, color=INK)
    _explain_curves(panels[1, 0])
    for column, one in enumerate((*found.maps, found.baseline), start=1):
        _draw_map(panels[0, column], picture, one)
        _draw_curves(panels[1, column], one, first=column == 1)
    for panel in panels[0]:
        panel.set_xticks([])
        panel.set_yticks([])
    watched = "probability" if found.target.class_name is not None else "value"
    name = snapshot_name(found.snapshot)
    title = f"{found.image.name}: evidence for {found.target.title} in {name} ({watched} {found.value:.3g})"
    set_title(figure, title)
    save(figure, out)


def _draw_map(panel: Axes, picture: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], one: Map) -> None:
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
    bar = panel.figure.colorbar(shown, ax=panel, orientation="horizontal", fraction=0.06, pad=0.03)
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
    panel.text(0, 0.80, "deletion", color=RED, fontsize=10, fontweight="bold")
    panel.text(
        0,
        0.54,
        "the most important pixels\nare covered first: with a good\nmap it falls quickly",
        fontsize=8,
        color=INK,
    )
    panel.text(0, 0.30, "insertion", color=BLUE, fontsize=10, fontweight="bold")
    panel.text(
        0,
        0.04,
        "they are restored first in\na blurred picture: with a good\nmap it rises quickly",
        fontsize=8,
        color=INK,
    )


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
