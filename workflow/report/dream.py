"""Pictures of a maximised input: the result, its optimisation as strip and film, and natural pictures to compare."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from workflow.data.channel_order import to_rgb
from workflow.report.canvas import INK, RED, save, save_film, snapshot_name
from workflow.report.sheet import Sheet
from workflow.storage import replacing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from workflow.config import Preprocessing
    from workflow.interpretation.synthesis.dream import Maximum

_BARS = "#9fb6d3"
_SIDE = 256  # pixels of the film's and the plain picture's side, about
_STRIP = 10
_LEFT, _RIGHT = 4.1, 10.9  # inches: of the strip and of the natural pictures' values
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
    name = snapshot_name(found.snapshot)
    sheet = Sheet(11, 3.65, f"{found.target.title} of {name}", note=found.verdict)
    _show(sheet.panel(0.1, 0.25, 3.3, 3.3), frames[-1], "the input that maximises it", 9)
    shown = np.linspace(0, len(frames) - 1, _STRIP).round().astype(int)
    step = (_RIGHT - _LEFT) / _STRIP
    for column, number in enumerate(shown):
        words = "start" if number == 0 else f"{number / (len(frames) - 1):.0%}"
        _show(sheet.panel(_LEFT + step * column, 0.25, step - 0.06, step - 0.06), frames[number], words, 7)
    panel = sheet.panel(_LEFT, 1.15, _RIGHT - _LEFT, 2.0)
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
    save(sheet.figure, out)


def _show(panel: Axes, picture: Image.Image, title: str, points: int) -> None:
    panel.imshow(picture, interpolation="nearest")
    panel.set_title(title, fontsize=points, color=INK)
    panel.set_axis_off()


def describe(one: Maximum, pictures: Mapping[str, Path] | None = None) -> str:
    """The value that it reaches, and whether natural pictures reach as much."""
    return f"{one.target.title}: {one.dream.activation:.4g}; {one.verdict}" + (
        f"\n  {pictures['sheet']}" if pictures else ""
    )
