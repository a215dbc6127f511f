"""Draw several inspections in one picture: each image in a row with its probabilities and activations."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw

from workflow.fonts import draw_text
from workflow.interpretation.activations.grid import CAPTION
from workflow.interpretation.activations.inspect import Inspection
from workflow.storage import replacing

_SIDE = 240  # pixels of each image and each grid
_GAP = 14
_WORDS = 26  # height of a line of text
_LETTERS = 15
_INK, _PALE = (46, 44, 58), (120, 118, 130)


def compare(inspections: Sequence[Inspection], out: Path) -> None:
    """Draw a table: a row for each inspection, with the image first and then a column for each blob's grid.

    Args:
        inspections: with the same blobs drawn.
        out: the PNG to write.
    """
    blobs = list(inspections[0].pictures)
    width = _GAP + (len(blobs) + 1) * (_SIDE + _GAP)
    row_height = _SIDE + _WORDS + _GAP
    board = Image.new("RGB", (width, _WORDS + _GAP + len(inspections) * row_height), (255, 255, 255))
    pen = ImageDraw.Draw(board)
    for column, blob in enumerate(blobs, start=1):
        shape = " x ".join(map(str, inspections[0].blobs[blob][1:]))
        draw_text(pen, (_left(column), _GAP), f"{blob}  {shape}", size=_LETTERS, fill=_PALE)
    for row, one in enumerate(inspections):
        top = _WORDS + _GAP + row * row_height
        for column, path in enumerate([one.image, *(one.pictures[blob] for blob in blobs)]):
            with Image.open(path) as picture:
                whole = picture.height - (CAPTION if path != one.image else 0)  # a grid without its caption
                board.paste(_fitted(picture.convert("RGB").crop((0, 0, picture.width, whole))), (_left(column), top))
        draw_text(pen, (_left(0), top + _SIDE + 4), _verdict(one), size=_LETTERS, fill=_INK)
    with replacing(out) as temporary:
        board.save(temporary, format="PNG")


def _left(column: int) -> int:
    return _GAP + column * (_SIDE + _GAP)


def _fitted(picture: Image.Image) -> Image.Image:
    """A square of the board's size; small ones keep their pixels sharp."""
    sharp = picture.width < _SIDE
    return picture.resize((_SIDE, _SIDE), Image.Resampling.NEAREST if sharp else Image.Resampling.LANCZOS)


def _verdict(one: Inspection) -> str:
    likely = sorted(one.probabilities.items(), key=lambda pair: -pair[1])[:2]
    return "   ".join(f"{name} {probability:.1%}" for name, probability in likely)
