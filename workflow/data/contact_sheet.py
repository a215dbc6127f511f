"""pictures.png: a contact sheet of a prepared data set, a row per class: training, validation and test pictures.

It shows what the net gets: cropped, scaled and in its channel order. A wrong fit or a class in the wrong folder
is seen here before an hour of training.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from workflow.data.split import SPLITS
from workflow.data.spool import Spool
from workflow.data.table import Table
from workflow.fonts import draw_text, text_width
from workflow.storage import replacing
from workflow.words import PARTS

CLASSES = 50  # rows; the picture is for looking, not for counting
_EACH = (8, 2, 4)  # pictures of each side, see `split.SPLITS`
_TILE = 64
_GAP, _BETWEEN, _MARGIN = 4, 20, 10
_NAMES = 170  # width of the column with the names
_HEAD, _LINE, _LETTERS = 22, 17, 12
_INK, _PALE, _PAPER = (46, 44, 58), (120, 118, 130), (255, 255, 255)


def write(path: Path, table: Table, sides: NDArray[np.int8], spool: Spool, channel_order: str) -> None:
    """Draw the sheet; the choice of pictures does not depend on other pictures added or removed.

    Args:
        path: of the PNG.
        table: its `read` files are the data set's pictures.
        sides: int8 (N,), see `split.SPLITS`.
        spool: gives their pixels.
        channel_order: of the pixels: RGB, BGR or GRAY.

    Raises:
        OSError: as the operating system says it.
    """
    with replacing(path) as temporary:
        draw(table, sides, spool, channel_order).save(temporary, format="PNG", compress_level=3)


def draw(table: Table, sides: NDArray[np.int8], spool: Spool, channel_order: str) -> Image.Image:
    """The sheet; arguments as of `write`."""
    rows = []
    for number, name in enumerate(table.classes):
        mine = table.read & (table.labels == number)
        if mine.any():
            rows.append((name, [np.flatnonzero(mine & (sides == side)) for side in range(len(SPLITS))]))
    more = len(rows) - CLASSES
    left: dict[int, int] = {}
    width = _MARGIN + _NAMES
    for side in sorted(set(sides[table.read].tolist())):
        left[side] = width
        width += _EACH[side] * (_TILE + _GAP) + _BETWEEN
    width += _MARGIN - _BETWEEN
    height = _HEAD + min(len(rows), CLASSES) * (_TILE + _GAP) + _MARGIN + _LINE * (more > 0)
    board = Image.new("RGB", (width, height), _PAPER)
    pen = ImageDraw.Draw(board)
    for side, place in left.items():
        draw_text(pen, (place, 3), PARTS[SPLITS[side]], size=_LETTERS, fill=_PALE)
    for row, (name, indices) in enumerate(rows[:CLASSES]):
        top = _HEAD + row * (_TILE + _GAP)
        draw_text(pen, (_MARGIN, top + 12), _fitting(name), size=_LETTERS, fill=_INK)
        counts = [f"{len(indices[side]):,} {PARTS[SPLITS[side]]}" for side in left]
        lines = [counts[0], ", ".join(counts[1:])] if len(counts) == len(SPLITS) else [", ".join(counts)]
        for number, text in enumerate(lines, start=1):
            draw_text(pen, (_MARGIN, top + 12 + number * _LINE), text, size=_LETTERS, fill=_PALE)
        for side in left:
            for place, index in enumerate(_some(table, indices[side], _EACH[side])):
                tile = _tile(spool.pixels(index), channel_order)
                middle = ((_TILE - tile.width) // 2, (_TILE - tile.height) // 2)
                board.paste(tile, (left[side] + place * (_TILE + _GAP) + middle[0], top + middle[1]))
    if more > 0:
        draw_text(pen, (_MARGIN, height - _LINE - 2), f"and {more:,} more classes", size=_LETTERS, fill=_PALE)
    return board


def _some(table: Table, indices: NDArray[np.intp], count: int) -> list[int]:
    """Those with the smallest hashes: a random choice, but always the same."""
    keys = np.ascontiguousarray(table.digests[indices, 8:16]).view(">u8").reshape(-1)  # the first 8 bytes decide sides
    chosen: list[int] = indices[np.argsort(keys, kind="stable")[:count]].tolist()
    return chosen


def _tile(pixels: NDArray[np.uint8], channel_order: str) -> Image.Image:
    """uint8 (C, H, W) as a picture that fits a tile; a small one is enlarged by a whole number, its pixels kept."""
    if channel_order == "BGR":
        pixels = pixels[::-1]
    image = Image.fromarray(np.ascontiguousarray(pixels.transpose(1, 2, 0).squeeze())).convert("RGB")
    factor = _TILE // max(image.size)
    if factor >= 1:
        return image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)
    image.thumbnail((_TILE, _TILE))
    return image


def _fitting(name: str) -> str:
    if text_width(name, _LETTERS) <= _NAMES - _GAP:
        return name
    while name and text_width(name + "…", _LETTERS) > _NAMES - _GAP:
        name = name[:-1]
    return name + "…"
