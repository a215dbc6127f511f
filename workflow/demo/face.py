"""Draw eyes, mouths and cheeks, the same for all characters, so a face does not reveal the class."""

from __future__ import annotations

import math
from random import Random

from workflow.demo.canvas import Canvas, Point, arc
from workflow.demo.palette import INK, PINK, WHITE


def eyes(canvas: Canvas, random: Random, *, at: Point, apart: float, size: float) -> None:
    """Two eyes around `at`: open and looking somewhere, or (one time in eight) shut in a smile."""
    shut = random.random() < 1 / 8
    look = random.uniform(-0.3, 0.3) * size, random.uniform(-0.25, 0.3) * size
    for side in (-1, 1):
        x, y = at[0] + side * apart, at[1]
        if shut:
            canvas.line(arc((x, y), size * 0.75, size * 0.6, math.pi, 2 * math.pi), INK, size * 0.28)
            continue
        canvas.ellipse((x, y), size * 0.86, size, WHITE, edge=INK, width=size * 0.16)
        canvas.ellipse((x + look[0], y + look[1]), size * 0.5, size * 0.56, INK)
        canvas.ellipse((x + look[0] - size * 0.16, y + look[1] - size * 0.2), size * 0.18, size * 0.2, WHITE)


def mouth(canvas: Canvas, random: Random, *, at: Point, size: float) -> None:
    """A smile, an open laugh, a small o or a wavy line."""
    kind = random.choice(("smile", "smile", "laugh", "laugh", "o", "wavy"))
    x, y = at
    if kind == "smile":
        canvas.line(arc(at, size, size * 0.6, 0.15, math.pi - 0.15), INK, size * 0.24)
    elif kind == "laugh":
        canvas.polygon(arc(at, size, size, 0, math.pi), (150, 50, 62), edge=INK, width=size * 0.2)
        canvas.ellipse((x, y + size * 0.62), size * 0.48, size * 0.24, PINK)
    elif kind == "o":
        canvas.ellipse((x, y + size * 0.3), size * 0.38, size * 0.46, (150, 50, 62), edge=INK, width=size * 0.2)
    else:
        points = [(x + size * (step / 2 - 1), y + size * (0.45 if step % 2 else 0.1)) for step in range(5)]
        canvas.line(points, INK, size * 0.24, soft=True)


def cheeks(canvas: Canvas, *, at: Point, apart: float, size: float) -> None:
    """Two blushes."""
    for side in (-1, 1):
        canvas.ellipse((at[0] + side * apart, at[1]), size, size * 0.62, PINK)
