"""channels-BLOB.png: for each channel its maximising picture and the nine training patches that most excite it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from workflow.data.channel_order import to_rgb
from workflow.report.canvas import INK, new_figure, save, set_title, snapshot_name
from workflow.words import drawn, table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from workflow.config import Preprocessing
    from workflow.interpretation.examples.channels import Channels, Looked

_FAINT = "#8a8f9c"
_TILE = 48  # pixels of a patch's side
_GAP = 3
_SIDE = 3 * _TILE + 2 * _GAP  # of the maximising picture, and of the nine patches
_ACROSS = 4


def draw_channels(found: Channels, preprocessing: Preprocessing, out: Path) -> None:
    """Draw the page, four channels a row.

    Args:
        found: of `interpretation.examples.channels.look_for`.
        preprocessing: the snapshot's, for the order of channels.
        out: the PNG to write; folders are made.

    Raises:
        OSError: as the operating system says it.
    """
    across = min(_ACROSS, len(found.channels))
    rows = math.ceil(len(found.channels) / across)
    figure = new_figure(3.4 * across, 0.9 + 1.95 * rows, dpi=100)
    panels = figure.subplots(rows, across, squeeze=False).ravel()
    for panel in panels:
        panel.set_axis_off()
    for panel, one in zip(panels, found.channels, strict=False):
        _draw(panel, one, found, preprocessing)
    name = snapshot_name(found.snapshot)
    height, width = found.middle.height, found.middle.width
    title = (
        f"{found.blob} in {name}: what excites each channel most\n"
        f"left: made from noise; right: patches of {found.count:,} training pictures, "
        f"{height} x {width} pixels where no edge cuts them"
    )
    set_title(figure, title)
    save(figure, out)


def _draw(panel: Axes, one: Looked, found: Channels, preprocessing: Preprocessing) -> None:
    board = np.full((_SIDE, 2 * _SIDE + 2 * _GAP, 3), 255, np.uint8)
    most = max(found.middle.height, found.middle.width, *(max(patch.pixels.shape[1:]) for patch in one.patches), 1)
    if one.maximum is not None:
        pixels = one.maximum.dream.pixels[:, *found.middle.slices]
        board[:, :_SIDE] = _tile(to_rgb(pixels, preprocessing), _SIDE / most, _SIDE)
    for number, patch in enumerate(one.patches):
        top, left = ((_TILE + _GAP) * at for at in divmod(number, 3))
        left += _SIDE + 2 * _GAP
        board[top : top + _TILE, left : left + _TILE] = _tile(to_rgb(patch.pixels, preprocessing), _TILE / most, _TILE)
    panel.imshow(board, interpolation="nearest")
    panel.set_title(describe_channel(one), fontsize=8, color=_FAINT if one.dead else INK)


def describe_channel(one: Looked) -> str:
    """`17: 9.2 to 7.5, dog 6 of 9`, or that it is dead."""
    if one.dead:
        return f"{one.number}: dead, no training picture changes it"
    first, last = one.patches[0].activation, one.patches[-1].activation
    likes = "" if one.likes is None else f", {one.likes[0]} {one.likes[1]} of {len(one.patches)}"
    return f"{one.number}: {first:.3g} to {last:.3g}{likes}"


def _tile(pixels: NDArray[np.uint8], scale: float, side: int) -> NDArray[np.uint8]:
    """Pixels (h, w, 3) in the middle of a grey square: what an edge of the picture cut is smaller than the others."""
    height, width = (max(1, min(side, round(length * scale))) for length in pixels.shape[:2])
    tile = np.full((side, side, 3), 220, np.uint8)
    if pixels.size:
        top, left = (side - height) // 2, (side - width) // 2
        enlarged = Image.fromarray(pixels).resize((width, height), Image.Resampling.NEAREST)
        tile[top : top + height, left : left + width] = np.asarray(enlarged)
    return tile


def _row(one: Looked) -> list[str]:
    if one.dead:
        return [str(one.number), "", "", "dead"]
    likes = "" if one.likes is None else f"{one.likes[0]} ({one.likes[1]} of {len(one.patches)})"
    return [str(one.number), *(f"{patch.activation:.3g}" for patch in (one.patches[0], one.patches[-1])), likes]


def describe(found: Channels, pictures: Mapping[str, Path] | None = None) -> str:
    """A line for each channel."""
    lines = [
        f"{found.blob} in {found.snapshot}: the nine patches of {found.count:,} training pictures that excite it most"
    ]
    rows = [["channel", "highest", "ninth", "main class"], *map(_row, found.channels)]
    lines += [f"  {line}" for line in table(rows, left=(3,))]
    dead = sum(one.dead for one in found.channels)
    lines += [f"{dead} of {len(found.channels)} channels are dead"] if dead else []
    return "\n".join([*lines, *drawn(pictures)])
