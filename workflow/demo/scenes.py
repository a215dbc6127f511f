"""Draw landscapes and rooms without any character."""

from __future__ import annotations

from random import Random

from workflow.demo.backgrounds import outdoors
from workflow.demo.canvas import Canvas, Colour, mix
from workflow.demo.others import person
from workflow.demo.palette import CLOTHES, INK, LEAF, WHITE, dark, near

_BARK: Colour = (130, 92, 66)


def scene(random: Random, size: int) -> Canvas:
    """A landscape with a house, trees, the sea or a town by night."""
    canvas = Canvas(size, WHITE)
    random.choice((_village, _village, _wood, _sea, _town))(canvas, random)
    return canvas


def _village(canvas: Canvas, random: Random) -> None:
    outdoors(canvas, random)
    for _ in range(random.randint(1, 2)):
        with canvas.placed(at=(random.uniform(-0.6, 0.6), random.uniform(0.15, 0.4)), scale=random.uniform(0.3, 0.6)):
            _house(canvas, random)
    if random.random() < 0.6:
        with canvas.placed(at=(random.uniform(-0.7, 0.7), 0.55), scale=random.uniform(0.25, 0.4)):
            person(random.choice(CLOTHES))(canvas, random)


def _wood(canvas: Canvas, random: Random) -> None:
    outdoors(canvas, random)
    for _ in range(random.randint(3, 6)):
        with canvas.placed(at=(random.uniform(-0.9, 0.9), random.uniform(0.2, 0.6)), scale=random.uniform(0.3, 0.6)):
            _tree(canvas, random)


def _sea(canvas: Canvas, random: Random) -> None:
    canvas.fade(random.choice(((120, 190, 240), (250, 180, 140))), (240, 245, 250))
    canvas.polygon([(-1, 0.1), (1, 0.1), (1, 1), (-1, 1)], near(random, (60, 130, 190)))
    for _ in range(6):
        x, y = random.uniform(-0.9, 0.7), random.uniform(0.25, 0.95)
        canvas.line([(x, y), (x + 0.1, y - 0.05), (x + 0.2, y)], (150, 200, 230), 0.04, soft=True)
    with canvas.placed(
        at=(random.uniform(-0.5, 0.5), 0.1), scale=random.uniform(0.4, 0.7), turn=random.uniform(-0.1, 0.1)
    ):
        sail, hull = random.choice(CLOTHES), _BARK
        canvas.line([(0, 0.1), (0, -0.8)], INK, 0.05)
        canvas.polygon([(0.05, -0.8), (0.6, -0.05), (0.05, -0.05)], sail, edge=dark(sail), width=0.04)
        canvas.polygon([(-0.06, -0.6), (-0.4, -0.05), (-0.06, -0.05)], WHITE, edge=dark(sail), width=0.04)
        canvas.polygon([(-0.6, 0.06), (0.7, 0.06), (0.45, 0.34), (-0.4, 0.34)], hull, edge=dark(hull), width=0.05)


def _town(canvas: Canvas, random: Random) -> None:
    canvas.fade((26, 32, 70), (90, 80, 130))
    canvas.ellipse((random.uniform(-0.7, 0.7), -0.65), 0.17, 0.17, (250, 244, 210))
    left = -1.0
    while left < 1:
        width, top = random.uniform(0.2, 0.45), random.uniform(-0.5, 0.3)
        wall = near(random, (70, 74, 110), 0.06)
        canvas.polygon([(left, top), (left + width, top), (left + width, 1), (left, 1)], wall)
        for row in range(int((1 - top) / 0.2)):
            for column in range(int(width / 0.14)):
                if random.random() < 0.6:
                    x, y = left + 0.07 + column * 0.14, top + 0.12 + row * 0.2
                    canvas.polygon(
                        [(x - 0.03, y - 0.05), (x + 0.03, y - 0.05), (x + 0.03, y + 0.05), (x - 0.03, y + 0.05)],
                        (255, 224, 140),
                    )
        left += width + random.uniform(0, 0.06)


def _house(canvas: Canvas, random: Random) -> None:
    wall, roof = near(random, (246, 226, 190), 0.06), random.choice(CLOTHES)
    canvas.polygon([(-0.7, -0.2), (0.7, -0.2), (0.7, 0.8), (-0.7, 0.8)], wall, edge=dark(wall), width=0.06)
    canvas.polygon([(-0.9, -0.2), (0, -0.95), (0.9, -0.2)], roof, edge=dark(roof), width=0.06)
    canvas.polygon([(-0.15, 0.3), (0.2, 0.3), (0.2, 0.8), (-0.15, 0.8)], _BARK)
    for x in (-0.45, 0.47):
        canvas.polygon(
            [(x - 0.14, 0.0), (x + 0.14, 0.0), (x + 0.14, 0.26), (x - 0.14, 0.26)], (190, 224, 245), edge=dark(wall)
        )


def _tree(canvas: Canvas, random: Random) -> None:
    crown = near(random, mix(LEAF, INK, random.uniform(0, 0.3)), 0.05)
    canvas.line([(0, 0.1), (0, 0.85)], _BARK, 0.2)
    if random.random() < 0.5:
        canvas.polygon([(-0.6, 0.3), (0, -0.95), (0.6, 0.3)], crown, edge=dark(crown), width=0.06)
    else:
        for x, y, radius in ((-0.3, -0.05, 0.4), (0.3, -0.05, 0.4), (0, -0.45, 0.45)):
            canvas.ellipse((x, y), radius, radius, crown)
