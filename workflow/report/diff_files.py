"""What `wf diff` leaves: diff.png (fixed and broken pictures), diff.csv (all wrong answers), diff.json."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw

from workflow.data.pictures import MAX_PIXELS
from workflow.evaluation.comparison import Case, Comparison
from workflow.evaluation.diff import Diff
from workflow.fonts import draw_text, text_width
from workflow.report.contact_sheet import sheet
from workflow.storage import atomic_write, replacing

DRAWN = 50
"""Of the fixed pictures and of the broken ones, at most."""
COLUMNS = ("change", "path", "sha256", "true", "before", "before_probability", "after", "after_probability")
"""Of diff.csv."""

_COLUMNS = 8  # pictures in a row
_HEAD = 34  # pixels of a heading
_LETTERS = 15
_INK, _PAPER = (46, 44, 58), (255, 255, 255)


def write(folder: Path, found: Diff, *, max_pixels: int = MAX_PIXELS) -> dict[str, Path]:
    """Write the files, each whole or not at all; the folder is made.

    Returns:
        `json`, `csv` and `sheet` -> path.

    Raises:
        OSError: as the operating system says it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = {"json": folder / "diff.json", "csv": folder / "diff.csv", "sheet": folder / "diff.png"}
    atomic_write(files["json"], (json.dumps(found.json(), indent=2, allow_nan=False) + "\n").encode())
    _write_csv(files["csv"], found.comparison)
    with replacing(files["sheet"]) as temporary:
        draw(found.comparison, max_pixels=max_pixels).save(temporary, format="PNG")
    return files


def draw(one: Comparison, *, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """The fixed pictures above, the broken ones below, those with the most confident wrong answer first."""
    parts = [
        (f"fixed: wrong in {one.before}, right in {one.after}", one.fixed),
        (f"broken: right in {one.before}, wrong in {one.after}", one.broken),
    ]
    boards = [_block(text, cases, max_pixels) for text, cases in parts]
    whole = Image.new("RGB", (max(board.width for board in boards), sum(board.height for board in boards)), _PAPER)
    top = 0
    for board in boards:
        whole.paste(board, (0, top))
        top += board.height
    return whole


def _block(text: str, cases: Sequence[Case], max_pixels: int) -> Image.Image:
    shown = cases[:DRAWN]
    heading = f"{text} ({len(cases):,} picture{'' if len(cases) == 1 else 's'}"
    heading += f", {DRAWN} shown)" if len(cases) > DRAWN else ")"
    board = None
    if shown:
        board = sheet([(one.path, _caption(one)) for one in shown], columns=_COLUMNS, max_pixels=max_pixels)
    across = max(board.width if board is not None else 0, round(text_width(heading, _LETTERS)) + 16)
    block = Image.new("RGB", (across, _HEAD + (board.height if board is not None else 0)), _PAPER)
    draw_text(ImageDraw.Draw(block), (8, 8), heading, size=_LETTERS, fill=_INK)
    if board is not None:
        block.paste(board, (0, _HEAD))
    return block


def _caption(one: Case) -> str:
    """What it is, and what each said."""
    return f"is {one.truth}\n{one.before} {one.before_probability:.2f}\n-> {one.after} {one.after_probability:.2f}"


def _write_csv(path: Path, one: Comparison) -> None:
    with (
        replacing(path) as temporary,
        temporary.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file,
    ):
        table = csv.writer(file)
        table.writerow(COLUMNS)
        for change in ("fixed", "broken", "still_wrong"):
            cases: tuple[Case, ...] = getattr(one, change)
            for case in cases:
                before, after = f"{case.before_probability:.6g}", f"{case.after_probability:.6g}"
                row = (change, case.path, case.sha256, case.truth, case.before, before, case.after, after)
                table.writerow(row)
