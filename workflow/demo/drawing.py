"""The drawn set: a folder of labelled pictures, the same for the same seed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

from PIL import Image

from workflow.demo.backgrounds import background
from workflow.demo.canvas import Canvas, mix
from workflow.demo.diagrams import diagram
from workflow.demo.others import OTHERS, Character
from workflow.demo.palette import INK
from workflow.demo.pip import pip
from workflow.demo.scenes import scene

CHARACTER = "character"
OTHER = "other"
SIZES = (64, 72, 80, 96)
_TILE = 64
_SHADOW = mix(INK, (210, 210, 210), 0.62)


def picture(label: str, number: int, *, seed: int = 1) -> Image.Image:
    """Picture `number` of class `label`: uint8 RGB, 64 to 96 pixels a side; a function of its arguments alone."""
    random = Random(f"{seed} {label} {number}")  # noqa: S311  (pictures, not secrets)
    size = random.choice(SIZES)
    if label == CHARACTER:
        return portrait(random, size, pip).finish()
    kind = random.random()
    if kind < 0.5:
        return portrait(random, size, random.choice(OTHERS)).finish()
    return (diagram if kind < 0.8 else scene)(random, size).finish()


def draw(folder: Path, *, count: int, seed: int = 1, progress: Callable[[int, int], None] | None = None) -> Path:
    """Write `count` pictures, half of each class, to `folder`/CLASS/NNNN.png, and a contact sheet beside it.

    Returns:
        The contact sheet, `folder`-sheet.png.
    """
    first: dict[str, list[Image.Image]] = {CHARACTER: [], OTHER: []}
    done = 0
    for label, tiles in first.items():
        (folder / label).mkdir(parents=True, exist_ok=True)
        for number in range(count // 2):
            drawn = picture(label, number, seed=seed)
            drawn.save(folder / label / f"{number:04d}.png")
            if len(tiles) < 48:  # two halves of a sheet of 12 x 8
                tiles.append(drawn)
            done += 1
            if progress is not None:
                progress(done, count)
    sheet = folder.with_name(f"{folder.name}-sheet.png")
    _sheet([*first[CHARACTER], *first[OTHER]], columns=12).save(sheet)
    return sheet


def portrait(random: Random, size: int, character: Character) -> Canvas:
    """A character on a background, somewhere near the middle, with its shadow."""
    canvas = background(random, size)
    scale = random.uniform(0.55, 0.95)
    slack = 0.35 * (1.1 - scale)
    at = random.uniform(-slack, slack), random.uniform(-slack, slack) + 0.06
    jump = random.choice((0, 0, 0, 0.14)) if scale < 0.8 else 0
    with canvas.placed(at=(at[0], at[1] + 0.88 * scale), scale=scale):
        canvas.ellipse((0, 0), 0.58 - jump, 0.09, _SHADOW)
    with canvas.placed(at=(at[0], at[1] - jump * scale), scale=scale, turn=random.gauss(0, 0.12)):
        character(canvas, random)
    return canvas


def _sheet(tiles: list[Image.Image], *, columns: int) -> Image.Image:
    rows = -(-len(tiles) // columns)
    sheet = Image.new("RGB", (columns * (_TILE + 4) + 4, rows * (_TILE + 4) + 4), (255, 255, 255))
    for index, tile in enumerate(tiles):
        spot = 4 + index % columns * (_TILE + 4), 4 + index // columns * (_TILE + 4)
        sheet.paste(tile.resize((_TILE, _TILE), Image.Resampling.LANCZOS), spot)
    return sheet
