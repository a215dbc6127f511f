"""Clothes and things to hold, the same for all characters."""

from __future__ import annotations

import math
from random import Random

from workflow.demo.canvas import Canvas, Colour, Point, arc
from workflow.demo.palette import CLOTHES, INK, LEAF, STEM, WHITE, dark, light


def wear(canvas: Canvas, random: Random, *, neck: float, width: float, eyes: float) -> None:
    """Every second time a scarf, a bow tie or glasses: `neck` and `eyes` are heights, `width` half a neck's width."""
    kind = random.choice(("scarf", "bow", "glasses", None, None, None))
    colour = random.choice(CLOTHES)
    if kind == "scarf":
        canvas.line([(-width, neck), (0, neck + 0.12), (width, neck)], dark(colour), 0.2, soft=True)
        canvas.line([(-width, neck), (0, neck + 0.12), (width, neck)], colour, 0.13, soft=True)
        canvas.line([(width * 0.5, neck + 0.08), (width * 0.62, neck + 0.36)], colour, 0.13)
    elif kind == "bow":
        for side in (-1, 1):
            wing = [(0, neck), (side * 0.22, neck - 0.12), (side * 0.22, neck + 0.12)]
            canvas.polygon(wing, colour, edge=dark(colour), width=0.04)
        canvas.ellipse((0, neck), 0.06, 0.06, dark(colour))
    elif kind == "glasses":
        for side in (-1, 1):
            canvas.line(arc((side * 0.2, eyes), 0.2, 0.2, 0, 2 * math.pi), INK, 0.05)


def hold(canvas: Canvas, random: Random, hand: Point) -> None:
    """One time in three a balloon, a flower, a flag or a lollipop in `hand`."""
    kind = random.choice(("balloon", "flower", "flag", "lollipop", *[None] * 8))
    colour = random.choice(CLOTHES)
    x, y = hand
    if kind is not None:
        canvas.line([(x, y + 0.06), (x, y - 0.5)], STEM if kind == "flower" else dark(colour), 0.04)
    if kind == "balloon":
        canvas.ellipse((x, y - 0.66), 0.2, 0.25, colour, edge=dark(colour), width=0.05)
        canvas.ellipse((x - 0.07, y - 0.74), 0.04, 0.07, light(colour))
    elif kind == "flower":
        _petals(canvas, (x, y - 0.54), colour)
    elif kind == "flag":
        canvas.polygon([(x, y - 0.52), (x + 0.34, y - 0.4), (x, y - 0.26)], colour, edge=dark(colour), width=0.04)
    elif kind == "lollipop":
        canvas.ellipse((x, y - 0.52), 0.15, 0.15, colour, edge=dark(colour), width=0.05)
        canvas.line(arc((x, y - 0.52), 0.07, 0.07, 0, 4.5), WHITE, 0.04)


def _petals(canvas: Canvas, at: Point, colour: Colour) -> None:
    for petal in range(5):
        angle = petal * 2 * math.pi / 5
        canvas.ellipse((at[0] + 0.11 * math.cos(angle), at[1] + 0.11 * math.sin(angle)), 0.08, 0.08, colour)
    canvas.ellipse(at, 0.07, 0.07, (255, 214, 90))
    canvas.ellipse((at[0] + 0.1, at[1] + 0.3), 0.09, 0.05, LEAF, turn=-0.6)
