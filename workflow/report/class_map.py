"""class-map.png: the picture, and beside it the most probable class of each place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workflow.interpretation.activations.class_map import ClassMap
from workflow.report.canvas import INK, new_figure, save, set_title, shortened

_COLOURS = (0, 1, 2, 3, 4, 5, 6, 8, 9)  # of tab10, without its grey, which is that of all other classes
_GREY = (0.6, 0.6, 0.6)
_SHOWN = len(_COLOURS)
_LONGEST = 24  # letters of a class's name


def draw_class_map(found: ClassMap, picture: NDArray[np.uint8], out: Path, *, title: str) -> None:
    """Draw the classes as colours, paler where the net is less sure.

    Args:
        found: of a net's pass.
        picture: what the net was shown, RGB (H, W, 3).
        out: the PNG to write; folders are made.
        title: above it.

    Raises:
        OSError: as the operating system says it.
    """
    from matplotlib import colormaps  # half a second to import, and only this function needs it
    from matplotlib.patches import Patch

    numbers, counts = np.unique(found.best, return_counts=True)
    ranked = numbers[np.argsort(-counts, kind="stable")]
    tab10 = colormaps["tab10"]
    palette = {int(number): tab10(colour)[:3] for colour, number in zip(_COLOURS, ranked, strict=False)}
    colours = np.array([[palette.get(int(number), _GREY) for number in row] for row in found.best])  # (h, w, 3)
    sure = found.probability.clip(0, 1)[..., None]
    figure = new_figure(9, 4.2)
    left, right = figure.subplots(1, 2)
    left.imshow(picture, interpolation="nearest")
    left.set_title("the input of the net", fontsize=9, color=INK)
    right.imshow(1 - sure * (1 - colours), interpolation="nearest", vmin=0, vmax=1)
    height, width = found.best.shape
    right.set_title(f"the most probable class at {height} × {width} places (pale: uncertain)", fontsize=9, color=INK)
    for panel in (left, right):
        panel.set_xticks([])
        panel.set_yticks([])
    named = list(found.shares.items())
    handles = [
        Patch(color=palette[int(number)], label=f"{shortened(name, _LONGEST)}  {share:.1%}")
        for number, (name, share) in zip(ranked[:_SHOWN], named, strict=False)
    ]
    rest = sum(share for _, share in named[_SHOWN:])
    if rest:
        handles.append(Patch(color=_GREY, label=f"{len(named) - _SHOWN} others  {rest:.1%}"))
    figure.legend(handles=handles, loc="outside right center", fontsize=8, frameon=False)
    set_title(figure, title)
    save(figure, out)
