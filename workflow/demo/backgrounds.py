"""Backgrounds, the same for Pip and for all other characters, so they reveal nothing about the class."""

from __future__ import annotations

import math
from random import Random

from workflow.demo.canvas import Canvas, Colour, mix
from workflow.demo.palette import INK, WALLS, WHITE, near


def background(random: Random, size: int) -> Canvas:
    """A new board with a wall, a pattern, a landscape or white paper on it."""
    wall = near(random, random.choice(WALLS), 0.04)
    canvas = Canvas(size, wall)
    kind = random.choice(("plain", "plain", "fade", "dots", "stripes", "outdoors", "outdoors", "room", "paper"))
    if kind == "fade":
        canvas.fade(wall, near(random, random.choice(WALLS), 0.04))
    elif kind == "dots":
        _dots(canvas, random, mix(wall, WHITE, 0.45))
    elif kind == "stripes":
        _stripes(canvas, random, mix(wall, WHITE, 0.35))
    elif kind == "outdoors":
        outdoors(canvas, random)
    elif kind == "room":
        canvas.polygon([(-1, 0.4), (1, 0.4), (1, 1), (-1, 1)], mix(wall, INK, 0.25))
        _window(canvas, random, mix(wall, INK, 0.35))
    elif kind == "paper":
        canvas.fade(WHITE, near(random, (246, 246, 240), 0.02))
    return canvas


def outdoors(canvas: Canvas, random: Random) -> None:
    """Sky by day, at dusk or at night, hills, perhaps the sun and clouds."""
    top, low = random.choice(
        (((120, 190, 240), (220, 240, 250)), ((250, 170, 120), (255, 226, 190)), ((34, 42, 84), (86, 96, 150)))
    )
    canvas.fade(top, low)
    if random.random() < 0.6:
        canvas.ellipse((random.uniform(-0.8, 0.8), random.uniform(-0.8, -0.4)), 0.16, 0.16, (255, 236, 150))
    for _ in range(random.randrange(3)):
        x, y = random.uniform(-0.9, 0.9), random.uniform(-0.85, -0.3)
        for shift in (-0.14, 0, 0.14):
            canvas.ellipse((x + shift, y - 0.04 * (shift == 0)), 0.13, 0.09, mix(low, WHITE, 0.7))
    for height in (0.25, 0.5):
        _hill(canvas, random, height, near(random, (120, 180, 100), 0.06))


def _hill(canvas: Canvas, random: Random, height: float, colour: Colour) -> None:
    start = random.uniform(0, 6)
    top = [(x / 8 - 1, height + 0.12 * math.sin(start + x / 4)) for x in range(17)]
    canvas.polygon([*top, (1, 1), (-1, 1)], colour)


def _dots(canvas: Canvas, random: Random, colour: Colour) -> None:
    step, radius = random.uniform(0.3, 0.5), random.uniform(0.05, 0.1)
    for row in range(int(2 / step) + 2):
        for column in range(int(2 / step) + 2):
            canvas.ellipse((column * step - 1 + (row % 2) * step / 2, row * step - 1), radius, radius, colour)


def _stripes(canvas: Canvas, random: Random, colour: Colour) -> None:
    with canvas.placed(turn=random.uniform(0, math.pi)):
        for step in range(-6, 7, 2):
            canvas.line([(step / 4, -2), (step / 4, 2)], colour, 0.22)


def _window(canvas: Canvas, random: Random, frame: Colour) -> None:
    x = random.uniform(-0.6, 0.6)
    canvas.polygon(
        [(x - 0.28, -0.8), (x + 0.28, -0.8), (x + 0.28, -0.2), (x - 0.28, -0.2)], (190, 224, 245), edge=frame
    )
    canvas.line([(x, -0.8), (x, -0.2)], frame, 0.05)
    canvas.line([(x - 0.28, -0.5), (x + 0.28, -0.5)], frame, 0.05)
