"""Draw diagrams: boxes and arrows, formulas, charts."""

from __future__ import annotations

import math
from itertools import pairwise
from random import Random

from workflow.demo.canvas import Canvas, Colour, Point, arc
from workflow.demo.palette import CLOTHES, INK, WALLS, WHITE, light

_FORMULAS = (
    "y = ax + b", "E = mc^2", "a^2 + b^2 = c^2", "x > 0", "f(x) = x^3", "p = 0.5", "dy = f dx", "n! < n^n", "V = IR",
    "dx/dt = v", "s^2 + c^2 = 1", "F = ma", "e^x > x", "k = k + 1", "|x| < 1", "x = y / z",
)  # fmt: skip


def diagram(random: Random, size: int) -> Canvas:
    """A sheet of paper, mostly white, with one or two drawings and a formula on it."""
    canvas = Canvas(size, WHITE if random.random() < 0.6 else random.choice(WALLS[:7]))
    if random.random() < 0.3:
        _squared(canvas)
    kind = random.choice((_flow, _flow, _bars, _plot, _pie, _formulas, _graph))
    with canvas.placed(scale=random.uniform(0.8, 1.0), turn=random.uniform(-0.05, 0.05)):
        kind(canvas, random)
    return canvas


def _squared(canvas: Canvas) -> None:
    for step in range(-8, 9):
        canvas.line([(step / 8, -1), (step / 8, 1)], (212, 226, 240), 0.012)
        canvas.line([(-1, step / 8), (1, step / 8)], (212, 226, 240), 0.012)


def _flow(canvas: Canvas, random: Random) -> None:
    pen = _pen(random)
    stations: list[Point] = [
        (-0.6, random.uniform(-0.6, 0)),
        (0.0, random.uniform(-0.5, 0.5)),
        (0.6, random.uniform(-0.3, 0.6)),
    ]
    for one, other in pairwise(stations):
        arrow(canvas, (one[0] + 0.24, one[1]), (other[0] - 0.26, other[1]), pen)
    for x, y in stations:
        fill = light(random.choice(CLOTHES))
        if random.random() < 0.5:
            canvas.polygon(
                [(x - 0.23, y - 0.15), (x + 0.23, y - 0.15), (x + 0.23, y + 0.15), (x - 0.23, y + 0.15)],
                fill,
                edge=pen,
                width=0.04,
            )
        else:
            canvas.ellipse((x, y), 0.24, 0.17, fill, edge=pen, width=0.04)
        canvas.text((x, y), random.choice(("A", "B", "x", "f", "in", "out", "1", "2", "n")), INK, 0.2)
    canvas.text((random.uniform(-0.3, 0.3), 0.82), random.choice(_FORMULAS), INK, 0.22)


def _bars(canvas: Canvas, random: Random) -> None:
    _axes(canvas)
    colour = random.choice(CLOTHES)
    for bar in range(random.randint(4, 6)):
        x, height = -0.66 + bar * 0.26, random.uniform(0.2, 1.4)
        canvas.polygon(
            [(x, 0.75), (x, 0.75 - height), (x + 0.18, 0.75 - height), (x + 0.18, 0.75)], colour, edge=INK, width=0.03
        )


def _plot(canvas: Canvas, random: Random) -> None:
    _axes(canvas)
    for _ in range(random.randint(1, 3)):
        points, y = [], random.uniform(-0.5, 0.6)
        for step in range(7):
            points.append((-0.7 + step * 0.23, y))
            y = min(0.65, max(-0.75, y + random.uniform(-0.4, 0.35)))
        canvas.line(points, random.choice(CLOTHES), 0.05, soft=random.random() < 0.5)
    if random.random() < 0.6:
        canvas.text((0.2, -0.85), random.choice(_FORMULAS), INK, 0.2)


def _pie(canvas: Canvas, random: Random) -> None:
    start, left = random.uniform(0, 6), 2 * math.pi
    colours = random.sample(CLOTHES, 4)
    for colour in colours:
        share = left if colour is colours[-1] else left * random.uniform(0.2, 0.6)
        canvas.polygon([(0, 0), *arc((0, 0), 0.7, 0.7, start, start + share)], colour, edge=WHITE, width=0.03)
        start, left = start + share, left - share
    if random.random() < 0.5:
        canvas.ellipse((0, 0), 0.3, 0.3, WHITE)


def _formulas(canvas: Canvas, random: Random) -> None:
    pen = _pen(random)
    lines = random.randint(2, 4)
    for line in range(lines):
        height = (line + 0.5) / lines * 1.6 - 0.8
        canvas.text((random.uniform(-0.15, 0.15), height), random.choice(_FORMULAS), pen, random.uniform(0.22, 0.32))
    if random.random() < 0.7:
        arrow(
            canvas,
            (random.uniform(-0.8, -0.3), 0.85),
            (random.uniform(0.2, 0.8), random.uniform(-0.2, 0.85)),
            random.choice(CLOTHES),
        )


def _graph(canvas: Canvas, random: Random) -> None:
    pen = _pen(random)
    count = random.randint(4, 6)
    nodes = [
        (0.66 * math.cos(turn), 0.66 * math.sin(turn))
        for turn in (2 * math.pi * node / count + 0.3 for node in range(count))
    ]
    for _ in range(count + 1):
        one, other = random.sample(nodes, 2)
        canvas.line([one, other], pen, 0.035)
    for node in nodes:
        canvas.ellipse(node, 0.15, 0.15, light(random.choice(CLOTHES)), edge=pen, width=0.04)


def arrow(canvas: Canvas, start: Point, end: Point, colour: Colour) -> None:
    """A line from `start` to `end` with a head at its end."""
    canvas.line([start, end], colour, 0.05)
    angle = math.atan2(end[1] - start[1], end[0] - start[0])
    barbs = [
        (end[0] - 0.17 * math.cos(angle + side * 0.5), end[1] - 0.17 * math.sin(angle + side * 0.5)) for side in (-1, 1)
    ]
    canvas.polygon([end, *barbs], colour)


def _axes(canvas: Canvas) -> None:
    arrow(canvas, (-0.8, 0.75), (0.9, 0.75), INK)
    arrow(canvas, (-0.8, 0.75), (-0.8, -0.9), INK)


def _pen(random: Random) -> Colour:
    return random.choice((INK, INK, (40, 70, 150), (150, 40, 50)))
