"""Pictures of a maximised input: the result, its optimisation as strip and film, and natural pictures to compare."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from workflow.data.channel_order import to_rgb
from workflow.report.canvas import INK, RED, new_figure, save, save_film, set_title, snapshot_name
from workflow.storage import replacing

if TYPE_CHECKING:
    from workflow.config import Preprocessing
    from workflow.interpretation.synthesis.dream import Maximum

_BARS = "#9fb6d3"
_SIDE = 256  # pixels of the film's and the plain picture's side, about
_STRIP = 10
_MILLISECONDS = 120
_LAST = 1500


def draw_dream(found: Maximum, preprocessing: Preprocessing, folder: Path) -> dict[str, Path]:
    """Write TARGET.png (the bare pixels), TARGET-sheet.png and TARGET.gif.

    Args:
        found: of `maximise`.
        preprocessing: the snapshot's, for the order of channels.
        folder: where to; it is made.

    Returns:
        Name of each picture -> its path.

    Raises:
        OSError: as the operating system says it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    slug = found.target.slug
    frames = [Image.fromarray(to_rgb(one, preprocessing)) for one in found.dream.film]
    factor = max(1, _SIDE // max(frames[0].size))
    large = [one.resize((one.width * factor, one.height * factor), Image.Resampling.NEAREST) for one in frames]
    paths = {name: folder / f"{slug}{ending}" for name, ending in (("picture", ".png"), ("film", ".gif"))}
    with replacing(paths["picture"]) as temporary:
        large[-1].save(temporary, format="png")
    save_film(large, paths["film"], milliseconds=_MILLISECONDS, last=_LAST)
    paths["sheet"] = folder / f"{slug}-sheet.png"
    _draw_sheet(found, frames, paths["sheet"])
    return paths


def _draw_sheet(found: Maximum, frames: list[Image.Image], out: Path) -> None:
    figure = new_figure(11, 4.2, dpi=100)
    grid = figure.add_gridspec(2, _STRIP + 4, height_ratios=(1, 2.4))
    picture = figure.add_subplot(grid[:, :4])
    picture.imshow(frames[-1], interpolation="nearest")
    picture.set_title("the input that maximises it", fontsize=9, color=INK)
    shown = np.linspace(0, len(frames) - 1, _STRIP).round().astype(int)
    for column, number in enumerate(shown):
        panel = figure.add_subplot(grid[0, 4 + column])
        panel.imshow(frames[number], interpolation="nearest")
        panel.set_title("start" if number == 0 else f"{number / (len(frames) - 1):.0%}", fontsize=7, color=INK)
        panel.set_axis_off()
    picture.set_axis_off()
    panel = figure.add_subplot(grid[1, 4:])
    value = found.dream.activation
    if found.natural is not None:
        panel.hist(found.natural, bins=60, color=_BARS)
        panel.set_ylabel("test pictures", fontsize=9)
    panel.axvline(value, color=RED)
    side = "right" if found.natural is None or value > float(np.median(found.natural)) else "left"
    panel.annotate(
        f"this picture: {value:.3g} ",
        (value, 0.92),
        xycoords=("data", "axes fraction"),
        ha=side,
        color=RED,
        fontsize=9,
    )
    panel.set_xlabel(f"value of {found.target.title}", fontsize=9)
    panel.spines[["top", "right"]].set_visible(False)
    name = snapshot_name(found.snapshot)
    set_title(figure, f"{found.target.title} of {name}")
    figure.supxlabel(found.verdict, fontsize=9, color=INK)
    save(figure, out)


def describe(one: Maximum, pictures: Mapping[str, Path] | None = None) -> str:
    """The value that it reaches, and whether natural pictures reach as much."""
    return f"{one.target.title}: {one.dream.activation:.4g}; {one.verdict}" + (
        f"\n  {pictures['sheet']}" if pictures else ""
    )
