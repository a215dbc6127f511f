"""A blob as a square grid of tiles, one per channel, on one grey scale from minimum to maximum."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workflow.engines.base import Array
from workflow.storage import replacing

Grey = NDArray[np.uint8]

LEAST_SIDE = 400
"""The least width of the written picture in pixels; smaller grids are enlarged, so a map of 4 x 4 can be seen."""

CAPTION = 38
"""Pixels of the strip below a grid."""

_LETTERS = 12
_INK = 60
_RAMP = 120  # pixels of the scale
_BORDER = 255  # white: after a ReLU most of a map is black


def channels(blob: Array, limit: int | None = None) -> Array:
    """The channels of a blob's first item as (n, h, w): (N, C, H, W) gives C maps, (N, C) gives C single values.

    Args:
        blob: of any number of axes; the first is the batch.
        limit: take this many channels at most.
    """
    item = blob[0] if blob.ndim else blob
    shape = (*item.shape, 1, 1, 1)[:3] if item.ndim <= 3 else (item.shape[0], -1, item.shape[-1])
    return item.reshape(shape)[:limit]


def grid(maps: Array) -> Grey:
    """Tile maps (n, h, w) into a square of ceil(sqrt(n)) x ceil(sqrt(n)), row by row.

    All maps share one scale: their least value is 0, their greatest 255. One pixel of border is to the right of and
    below each tile; places without a map are all border. NaN shows as 0, infinities as the ends of the scale.

    Returns:
        uint8 (side (h + 1), side (w + 1)).
    """
    count, height, width = maps.shape
    side = math.ceil(math.sqrt(count))
    tiles = np.full((side * side, height + 1, width + 1), _BORDER, np.uint8)
    tiles[:count, :height, :width] = _scaled(maps)
    rows = tiles.reshape(side, side, height + 1, width + 1).transpose(0, 2, 1, 3)  # row, y, column, x
    return np.ascontiguousarray(rows.reshape(side * (height + 1), side * (width + 1)))


def enlarge(picture: Grey, least: int = LEAST_SIDE) -> Grey:
    """Repeat each pixel as often, in both directions, as makes the width at least `least`."""
    factor = max(1, math.ceil(least / picture.shape[1]))
    return picture.repeat(factor, axis=0).repeat(factor, axis=1)


def captioned(picture: Grey, words: str, maps: Array) -> Grey:
    """A grid with two lines below it: what it is, and the scale from the least value (black) to the greatest (white).

    Args:
        picture: uint8 (h, w), as `enlarge` gives it; its pixels stay as they are.
        words: the first line; cut where it is too long.
        maps: what the grid was made of.

    Returns:
        uint8 (h + `CAPTION`, w).
    """
    from PIL import Image, ImageDraw

    from workflow.fonts import draw_text, text_width

    width = picture.shape[1]
    strip = Image.new("L", (width, CAPTION), _BORDER)
    pen = ImageDraw.Draw(strip)
    while words and text_width(words, _LETTERS) > width - 8:
        words = f"{words[:-2].rstrip('…')}…"
    draw_text(pen, (4, 3), words, size=_LETTERS, fill=(_INK,))
    low, high = _ends(maps)
    left = 4 + round(text_width(f"{low:.4g}", _LETTERS)) + 6
    draw_text(pen, (4, 20), f"{low:.4g}", size=_LETTERS, fill=(_INK,))
    draw_text(pen, (left + _RAMP + 6, 20), f"{high:.4g}", size=_LETTERS, fill=(_INK,))
    ramp = np.linspace(0, 255, _RAMP).astype(np.uint8)
    strip.paste(Image.fromarray(np.tile(ramp, (10, 1))), (left, 22))
    pen.rectangle((left - 1, 21, left + _RAMP, 32), outline=_INK)
    return np.concatenate([picture, np.asarray(strip)])


def write(picture: Grey, path: Path) -> None:
    """Write a grey PNG, whole or not at all; folders are made.

    Raises:
        OSError: as the operating system says it.
    """
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        Image.fromarray(picture).save(temporary, format="PNG", compress_level=3)  # half the time, a fifth more bytes


def _ends(maps: Array) -> tuple[float, float]:
    """The minimum and the maximum."""
    finite = maps[np.isfinite(maps)]
    return (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)


def _scaled(maps: Array) -> Grey:
    low, high = _ends(maps)
    if high <= low:
        return np.zeros(maps.shape, np.uint8)
    shown = np.nan_to_num(maps.astype(np.float64), nan=low, neginf=low, posinf=high)
    grey: Grey = np.rint((shown - low) * (255 / (high - low))).astype(np.uint8)
    return grey
