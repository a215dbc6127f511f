"""Draw unrelated pictures, which a classifier of the character should not accept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

from workflow.demo.backgrounds import background
from workflow.demo.canvas import Canvas
from workflow.demo.diagrams import diagram
from workflow.demo.palette import BODIES, CLOTHES, WALLS, near
from workflow.demo.scenes import scene

_SIZE = 96


def draw_junk(folder: Path, *, count: int, seed: int = 2) -> list[Path]:
    """Write `count` pictures to `folder`/KIND/NNNN.png, the same for the same seed; none is part of the drawn set."""
    kinds: dict[str, Callable[[Random, int], Canvas]] = {
        "diagram": diagram,
        "scene": scene,
        "shapes": _shapes,
        "letters": _letters,
    }
    paths = []
    for number in range(count):
        name = list(kinds)[number % len(kinds)]
        path = folder / name / f"{number:04d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        random = Random(f"{seed} junk {number}")  # noqa: S311  (pictures, not secrets)
        kinds[name](random, _SIZE).finish().save(path)
        paths.append(path)
    return paths


def _shapes(random: Random, size: int) -> Canvas:
    """A few discs and triangles in all colours of the set."""
    canvas = background(random, size)
    for _ in range(random.randint(1, 4)):
        colour = near(random, random.choice((*BODIES, *CLOTHES)))
        at, radius = (random.uniform(-0.6, 0.6), random.uniform(-0.6, 0.6)), random.uniform(0.15, 0.6)
        if random.random() < 0.6:
            canvas.ellipse(at, radius, radius * random.uniform(0.6, 1.2), colour)
        else:
            x, y = at
            canvas.polygon([(x, y - radius), (x + radius, y + radius), (x - radius, y + radius)], colour)
    return canvas


def _letters(random: Random, size: int) -> Canvas:
    """A sign with a word on it."""
    canvas = Canvas(size, near(random, random.choice(WALLS)))
    board = random.choice(CLOTHES)
    canvas.polygon([(-0.8, -0.45), (0.8, -0.45), (0.8, 0.35), (-0.8, 0.35)], board)
    canvas.text((0, -0.05), random.choice(("OPEN", "STOP", "EXIT", "SALE", "NEWS", "42 km")), (255, 255, 255), 0.5)
    return canvas
