"""Pip, the demo's character: a pear-shaped little creature with two leaves on its head.

What makes a Pip: the pear shape, the sprout with its two leaves, the pale belly. Colour, pose, size, clothes and
surroundings vary, and are shared with the characters that are not Pip.
"""

from __future__ import annotations

import math
from random import Random

from workflow.demo.canvas import Canvas, Colour, Point
from workflow.demo.clothes import hold, wear
from workflow.demo.face import cheeks, eyes, mouth
from workflow.demo.palette import BODIES, LEAF, MINT, STEM, dark, light, near

_PEAR: tuple[Point, ...] = (
    (0, -0.62), (0.3, -0.5), (0.42, -0.2), (0.56, 0.18), (0.56, 0.5), (0.34, 0.7),
    (0, 0.74), (-0.34, 0.7), (-0.56, 0.5), (-0.56, 0.18), (-0.42, -0.2), (-0.3, -0.5),
)  # fmt: skip
_ARMS: tuple[tuple[Point, Point], ...] = (  # elbow and hand of the right arm; the left one is its mirror image
    ((0.7, 0.32), (0.7, 0.52)),  # hanging
    ((0.82, 0.12), (0.88, -0.16)),  # waving
    ((0.76, -0.08), (0.68, -0.44)),  # up
    ((0.86, 0.22), (0.6, 0.42)),  # on the hip
    ((0.82, 0.2), (1.0, 0.22)),  # pointing
)


def pip(canvas: Canvas, random: Random) -> None:
    """Draw Pip around the origin, about two units high, in a pose of its own."""
    body = near(random, MINT if random.random() < 0.55 else random.choice(BODIES))
    edge = dark(body)
    _feet(canvas, random, body, edge)
    hands = _arms(canvas, random, body, edge)
    _sprout(canvas, random)
    canvas.smooth(_PEAR, body, edge=edge, width=0.07)
    canvas.ellipse((0, 0.4), 0.34, 0.27, light(body))
    eyes(canvas, random, at=(0, -0.2), apart=0.19, size=random.uniform(0.13, 0.16))
    cheeks(canvas, at=(0, 0.02), apart=0.34, size=0.085)
    mouth(canvas, random, at=(0, 0.02), size=random.uniform(0.1, 0.14))
    wear(canvas, random, neck=0.2, width=0.5, eyes=-0.2)
    hold(canvas, random, random.choice(hands))


def _feet(canvas: Canvas, random: Random, body: Colour, edge: Colour) -> None:
    spread = random.uniform(0.22, 0.34)
    for side in (-1, 1):
        lift = random.choice((0, 0, -0.06))
        canvas.ellipse((side * spread, 0.76 + lift), 0.19, 0.11, body, turn=side * 0.15, edge=edge, width=0.06)


def _arms(canvas: Canvas, random: Random, body: Colour, edge: Colour) -> list[Point]:
    hands = []
    for side in (-1, 1):
        elbow, hand = random.choice(_ARMS)
        points = [(side * 0.46, 0.08), (side * elbow[0], elbow[1]), (side * hand[0], hand[1])]
        canvas.line(points, edge, 0.25, soft=True)
        canvas.line(points, body, 0.14, soft=True)
        hands.append(points[-1])
    return hands


def _sprout(canvas: Canvas, random: Random) -> None:
    sway = random.uniform(-0.14, 0.14)
    top = (sway, -0.84)
    canvas.line([(0, -0.56), (sway * 0.3, -0.7), top], STEM, 0.08, soft=True)
    leaf = near(random, LEAF, 0.03)
    droop = random.uniform(-0.25, 0.3)
    for side in (-1, 1):
        angle = droop if side > 0 else math.pi - droop
        with canvas.placed(at=top, turn=angle - side * 0.25):
            shape = [(0, 0), (0.14, -0.13), (0.32, -0.12), (0.46, 0.0), (0.3, 0.12), (0.14, 0.11)]
            canvas.smooth(shape, leaf, edge=STEM, width=0.05)
            canvas.line([(0.06, 0), (0.34, 0)], STEM, 0.03)
