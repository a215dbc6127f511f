"""Contact sheets: many pictures on one, each with its caption; small ones are enlarged with their pixels kept sharp."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image, ImageDraw

from workflow.config import MAX_PIXELS
from workflow.data.pictures import load_rgb
from workflow.errors import WorkflowError
from workflow.fonts import draw_text, text_width
from workflow.storage import replacing

TILE = 160  # pixels of a tile's side: 5 x 32
PAGE = 100
"""Pictures on one sheet."""

_GAP = 8
_LINE = 17  # height of a line of text
_LETTERS = 12  # pixels, as fonts count
_INK, _PALE, _PAPER = (46, 44, 58), (225, 224, 230), (255, 255, 255)

Entry = tuple[Path | str, str]
"""A picture's path and its caption; a newline begins another line."""


def write_sheets(entries: Sequence[Entry], out: Path, *, page: int = PAGE, max_pixels: int = MAX_PIXELS) -> list[Path]:
    """Write `NAME.png`, and `NAME-2.png` and so on where one does not hold all; older pages beyond the last go.

    Args:
        entries: the pictures; none gives no sheet.
        out: the first sheet; its folder is made.
        page: pictures on one sheet.
        max_pixels: larger pictures are shown as missing.

    Returns:
        The sheets, in order.

    Raises:
        OSError: as the operating system says it.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    for start in range(0, len(entries), page):
        path = out.with_stem(f"{out.stem}-{len(written) + 1}") if written else out
        with replacing(path) as temporary:
            sheet(entries[start : start + page], max_pixels=max_pixels).save(temporary, format="PNG", compress_level=3)
        written.append(path)
    for old in out.parent.iterdir():
        number = re.fullmatch(rf"{re.escape(out.stem)}-(\d+)", old.stem)
        if number is not None and old.suffix == out.suffix and int(number[1]) > len(written):
            old.unlink()
    if not written:
        out.unlink(missing_ok=True)
    return written


def write_named_sheets(entries: Sequence[Entry], out: Path, *, max_pixels: int = MAX_PIXELS) -> dict[str, Path]:
    """`write_sheets` for what a result draws: `sheet`, `sheet 2`, … -> the files."""
    written = write_sheets(entries, out, max_pixels=max_pixels)
    return {"sheet" if number == 1 else f"sheet {number}": path for number, path in enumerate(written, start=1)}


def sheets(pictures: Mapping[str, Path]) -> list[Path]:
    """The contact sheets among what a result drew."""
    return [path for name, path in pictures.items() if name.startswith("sheet")]


def sheet(entries: Sequence[Entry], *, columns: int | None = None, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """Pictures in rows, from the top left on, each with its caption below.

    A picture is shown as a person sees it: upright, on white, in its own aspect ratio. One smaller than a tile is
    enlarged by a whole number without interpolation, a larger one is shrunk. In place of one that cannot be read
    stands what is the matter.

    Args:
        entries: at least one.
        columns: in a row; by default so many that the sheet is about as wide as it is high, 10 at most.
        max_pixels: larger pictures are not read.
    """
    columns = columns or min(10, math.ceil(math.sqrt(len(entries))))
    columns = min(columns, len(entries))
    captions = [_wrapped(caption) for _, caption in entries]
    height = TILE + _GAP + _LINE * max(map(len, captions))
    rows = math.ceil(len(entries) / columns)
    board = Image.new("RGB", (_GAP + columns * (TILE + _GAP), _GAP + rows * height), _PAPER)
    pen = ImageDraw.Draw(board)
    for index, ((path, _), lines) in enumerate(zip(entries, captions, strict=True)):
        left, top = _GAP + index % columns * (TILE + _GAP), _GAP + index // columns * height
        _put(board, pen, path, left, top, max_pixels)
        for number, line in enumerate(lines):
            draw_text(pen, (left, top + TILE + 2 + number * _LINE), line, size=_LETTERS, fill=_INK)
    return board


def _put(board: Image.Image, pen: ImageDraw.ImageDraw, path: Path | str, left: int, top: int, max_pixels: int) -> None:
    try:
        picture = Image.fromarray(load_rgb(path, max_pixels=max_pixels, max_side=TILE))
    except WorkflowError as error:
        pen.rectangle((left, top, left + TILE - 1, top + TILE - 1), fill=_PALE)
        reason = str(error.message).rpartition(": ")[2]
        for number, line in enumerate([Path(path).name, *_wrapped(reason)][:8]):
            at = (left + 6, top + 6 + number * _LINE)
            draw_text(pen, at, _fitting(line, TILE - 12), size=_LETTERS, fill=_INK)
        return
    factor = max(1, TILE // max(picture.size))
    enlarged = picture.resize((picture.width * factor, picture.height * factor), Image.Resampling.NEAREST)
    board.paste(enlarged, (left + (TILE - enlarged.width) // 2, top + (TILE - enlarged.height) // 2))


def _wrapped(caption: str) -> list[str]:
    """Lines no wider than a tile, broken between words; a word that is too long is cut."""
    lines: list[str] = []
    for paragraph in caption.split("\n"):
        line = ""
        for word in paragraph.split():
            longer = f"{line} {word}".strip()
            if line and text_width(longer, _LETTERS) > TILE:
                lines.append(line)
                longer = word
            line = longer
        lines.append(line)
    return [_fitting(line, TILE) for line in lines]


def _fitting(line: str, pixels: int) -> str:
    if text_width(line, _LETTERS) <= pixels:
        return line
    while line and text_width(line + "…", _LETTERS) > pixels:
        line = line[:-1]
    return line + "…"
