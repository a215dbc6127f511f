"""Pictures of a maximum: the picture itself, the way to it as strip and film, and where it lies among natural ones."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from workflow.report.ledger import coloured
from workflow.storage import replacing

if TYPE_CHECKING:
    from workflow.config import Preprocessing
    from workflow.vision.dreaming import Maximum

_INK, _MARK, _BARS = "#33333d", "#b2182b", "#9fb6d3"
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
    frames = [Image.fromarray(coloured(one, preprocessing)) for one in found.dream.film]
    factor = max(1, _SIDE // max(frames[0].size))
    large = [one.resize((one.width * factor, one.height * factor), Image.Resampling.NEAREST) for one in frames]
    paths = {name: folder / f"{slug}{ending}" for name, ending in (("picture", ".png"), ("film", ".gif"))}
    with replacing(paths["picture"]) as temporary:
        large[-1].save(temporary, format="png")
    with replacing(paths["film"]) as temporary:
        times = [_MILLISECONDS] * (len(large) - 1) + [_LAST]
        large[0].save(temporary, format="gif", save_all=True, append_images=large[1:], duration=times, loop=0)
    paths["sheet"] = folder / f"{slug}-sheet.png"
    _draw_sheet(found, frames, paths["sheet"])
    return paths


def _draw_sheet(found: Maximum, frames: list[Image.Image], out: Path) -> None:
    from matplotlib.figure import Figure  # half a second to import, and only this function needs it

    figure = Figure(figsize=(11, 4.2), dpi=100, layout="constrained")
    grid = figure.add_gridspec(2, _STRIP + 4, height_ratios=(1, 2.4))
    picture = figure.add_subplot(grid[:, :4])
    picture.imshow(frames[-1], interpolation="nearest")
    picture.set_title("what it would most like to see", fontsize=9, color=_INK)
    shown = np.linspace(0, len(frames) - 1, _STRIP).round().astype(int)
    for column, number in enumerate(shown):
        panel = figure.add_subplot(grid[0, 4 + column])
        panel.imshow(frames[number], interpolation="nearest")
        panel.set_title("start" if number == 0 else f"{number / (len(frames) - 1):.0%}", fontsize=7, color=_INK)
        panel.set_axis_off()
    picture.set_axis_off()
    panel = figure.add_subplot(grid[1, 4:])
    value = found.dream.activation
    if found.natural is not None:
        panel.hist(found.natural, bins=60, color=_BARS)
        panel.set_ylabel("test pictures", fontsize=9)
    panel.axvline(value, color=_MARK)
    side = "right" if found.natural is None or value > float(np.median(found.natural)) else "left"
    panel.annotate(
        f"this picture: {value:.3g} ",
        (value, 0.92),
        xycoords=("data", "axes fraction"),
        ha=side,
        color=_MARK,
        fontsize=9,
    )
    panel.set_xlabel(f"value of {found.target.title}", fontsize=9)
    panel.spines[["top", "right"]].set_visible(False)
    name = Path(found.snapshot).name if found.snapshot.endswith((".caffemodel", ".h5")) else found.snapshot
    figure.suptitle(f"{found.target.title} of {name}".replace("$", r"\$"), color=_INK, fontweight="bold")
    figure.supxlabel(found.verdict, fontsize=9, color=_INK)
    with replacing(out) as temporary:
        figure.savefig(temporary, format="png")
