"""Characters that are not Pip: same colours, faces and clothes, other shapes."""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random

from workflow.demo.canvas import Canvas, Colour, Point, arc
from workflow.demo.clothes import hold, wear
from workflow.demo.face import cheeks, eyes, mouth
from workflow.demo.palette import BODIES, CLOTHES, INK, WHITE, dark, light, near

Character = Callable[[Canvas, Random], None]


def robot(canvas: Canvas, random: Random) -> None:
    """A box with a box on top, an antenna and wheels."""
    body = near(random, random.choice(BODIES))
    edge, lamp = dark(body), random.choice(CLOTHES)
    for side in (-1, 1):
        canvas.ellipse((side * 0.28, 0.76), 0.15, 0.15, INK)
        canvas.line([(side * 0.4, 0.3), (side * 0.72, random.uniform(-0.1, 0.6))], edge, 0.12)
    canvas.polygon(_box(0, 0.36, 0.42, 0.32), body, edge=edge, width=0.07)
    canvas.polygon(_box(0, 0.36, 0.24, 0.16), light(body), edge=edge, width=0.04)
    canvas.line([(0, -0.5), (random.uniform(-0.12, 0.12), -0.84)], edge, 0.06)
    canvas.ellipse((0, -0.84), 0.1, 0.1, lamp, edge=edge, width=0.05)
    canvas.polygon(_box(0, -0.24, 0.5, 0.3), body, edge=edge, width=0.07)
    eyes(canvas, random, at=(0, -0.3), apart=0.22, size=0.13)
    canvas.polygon(_box(0, -0.07, 0.2, 0.06), WHITE, edge=INK, width=0.04)
    for tooth in (-0.1, 0.0, 0.1):
        canvas.line([(tooth, -0.12), (tooth, -0.02)], INK, 0.03)


def ghost(canvas: Canvas, random: Random) -> None:
    """A dome with a wavy hem that floats."""
    body = near(random, random.choice((*BODIES, (240, 240, 250), (240, 240, 250))))
    hem = [(0.56 - step * 0.14, 0.66 if step % 2 else 0.46) for step in range(9)]
    outline = [*arc((0, -0.2), 0.56, 0.56, math.pi, 2 * math.pi), *hem]
    canvas.polygon(outline, body, edge=dark(body), width=0.07)
    _face(canvas, random, at=-0.2, size=0.14)
    wear(canvas, random, neck=0.22, width=0.5, eyes=-0.2)


def cat(canvas: Canvas, random: Random) -> None:
    """Round head, pointed ears, whiskers, a tail."""
    body = near(random, random.choice(BODIES))
    edge = dark(body)
    tail = [(0.4, 0.62), (0.8, 0.5), (0.78, 0.1), (0.92, -0.1)]
    canvas.line(tail, edge, 0.2, soft=True)
    canvas.line(tail, body, 0.11, soft=True)
    canvas.ellipse((0, 0.46), 0.44, 0.36, body, edge=edge, width=0.07)
    for side in (-1, 1):
        canvas.polygon([(side * 0.16, -0.5), (side * 0.52, -0.86), (side * 0.54, -0.3)], body, edge=edge, width=0.07)
    canvas.ellipse((0, -0.2), 0.56, 0.46, body, edge=edge, width=0.07)
    _face(canvas, random, at=-0.24, size=0.13)
    for side in (-1, 1):
        for drop in (-0.04, 0.08):
            canvas.line([(side * 0.34, -0.04 + drop), (side * 0.72, -0.1 + drop * 2)], INK, 0.03)
    wear(canvas, random, neck=0.24, width=0.36, eyes=-0.24)


def bird(canvas: Canvas, random: Random) -> None:
    """An egg with wings, a beak and thin legs."""
    body = near(random, random.choice((*BODIES, (70, 80, 110))))
    edge = dark(body)
    for side in (-1, 1):
        canvas.line([(side * 0.16, 0.6), (side * 0.18, 0.86), (side * 0.32, 0.88)], (230, 140, 50), 0.07)
        wing = side * (0.5 + random.uniform(-0.6, 0.3))
        canvas.ellipse((side * 0.52, 0.1), 0.16, 0.38, body, turn=-wing, edge=edge, width=0.06)
    canvas.ellipse((0, 0), 0.5, 0.68, body, edge=edge, width=0.07)
    canvas.ellipse((0, 0.26), 0.32, 0.38, light(body))
    eyes(canvas, random, at=(0, -0.26), apart=0.2, size=0.14)
    canvas.polygon([(-0.13, -0.12), (0.13, -0.12), (0, 0.1)], (240, 160, 60), edge=(170, 96, 30), width=0.04)
    wear(canvas, random, neck=0.2, width=0.44, eyes=-0.26)


def star(canvas: Canvas, random: Random) -> None:
    """Five points and a smile."""
    body = near(random, random.choice(BODIES))
    points: list[Point] = []
    for corner in range(10):
        angle, radius = corner * math.pi / 5 - math.pi / 2, 0.46 if corner % 2 else 0.9
        points.append((radius * math.cos(angle), radius * math.sin(angle)))
    canvas.polygon(points, body, edge=dark(body), width=0.08)
    _face(canvas, random, at=-0.12, size=0.12)


def cactus(canvas: Canvas, random: Random) -> None:
    """Green in a pot, arms up, a flower on top now and then: Pip's colours, not Pip's shape."""
    body = near(random, (118, 190, 120))
    edge, pot = dark(body), random.choice(CLOTHES)
    for side in (-1, 1):
        bend = random.uniform(-0.1, 0.2)
        arm = [(side * 0.2, 0.16 + bend), (side * 0.56, 0.14 + bend), (side * 0.58, -0.24 + bend)]
        canvas.line(arm, edge, 0.26)
        canvas.line(arm, body, 0.15)
    canvas.line([(0, 0.4), (0, -0.5)], edge, 0.62)
    canvas.line([(0, 0.4), (0, -0.5)], body, 0.5)
    if random.random() < 0.5:
        canvas.ellipse((0, -0.84), 0.13, 0.1, random.choice(CLOTHES))
    _face(canvas, random, at=-0.28, size=0.11, apart=0.13)
    canvas.polygon([(-0.42, 0.4), (0.42, 0.4), (0.3, 0.88), (-0.3, 0.88)], pot, edge=dark(pot), width=0.06)


def slime(canvas: Canvas, random: Random) -> None:
    """Draw a drop-shaped creature that sits."""
    body = near(random, random.choice(BODIES))
    low = random.uniform(0.5, 0.62)
    shape = [(0, -0.66), (0.16, -0.34), (0.56, 0.05), (0.72, 0.42), (0.5, low), (0, low + 0.06), (-0.5, low),
             (-0.72, 0.42), (-0.56, 0.05), (-0.16, -0.34)]  # fmt: skip
    canvas.smooth(shape, body, edge=dark(body), width=0.07)
    canvas.ellipse((-0.34, 0.02), 0.07, 0.13, light(body), turn=0.5)
    _face(canvas, random, at=0.08, size=0.13)
    hold(canvas, random, (0.66, 0.3))


OTHERS: tuple[Character, ...] = (robot, ghost, cat, bird, star, cactus, slime)


def _face(canvas: Canvas, random: Random, *, at: float, size: float, apart: float = 0.2) -> None:
    eyes(canvas, random, at=(0, at), apart=apart, size=size)
    cheeks(canvas, at=(0, at + 0.2), apart=apart * 1.75, size=size * 0.62)
    mouth(canvas, random, at=(0, at + 0.2), size=size * 0.85)


def _box(x: float, y: float, half_width: float, half_height: float) -> list[Point]:
    return [
        (x - half_width, y - half_height), (x + half_width, y - half_height),
        (x + half_width, y + half_height), (x - half_width, y + half_height),
    ]  # fmt: skip


def person(colour: Colour) -> Character:
    """A passer-by in a coat of `colour`; seen in scenes."""

    def draw(canvas: Canvas, random: Random) -> None:
        skin = random.choice(((245, 208, 176), (214, 164, 124), (150, 104, 76)))
        for side in (-1, 1):
            canvas.line([(side * 0.14, 0.5), (side * 0.18, 0.9)], INK, 0.16)
            canvas.line([(side * 0.24, -0.06), (side * 0.44, random.uniform(-0.3, 0.4))], dark(colour), 0.14)
        canvas.polygon([(-0.2, -0.16), (0.2, -0.16), (0.34, 0.6), (-0.34, 0.6)], colour, edge=dark(colour), width=0.06)
        canvas.ellipse((0, -0.46), 0.27, 0.3, skin, edge=dark(skin), width=0.06)
        canvas.polygon(arc((0, -0.54), 0.29, 0.26, math.pi, 2 * math.pi), random.choice((INK, *CLOTHES)))
        eyes(canvas, random, at=(0, -0.44), apart=0.1, size=0.06)

    return draw
