"""Colours, and choosing among them; every random choice of the demo goes through one `random.Random`."""

from __future__ import annotations

import colorsys
from random import Random

from workflow.demo.canvas import Colour, mix

WHITE: Colour = (255, 255, 255)
INK: Colour = (46, 44, 58)
PINK: Colour = (250, 150, 150)
LEAF: Colour = (86, 176, 92)
STEM: Colour = (72, 140, 82)

MINT: Colour = (134, 212, 176)
BODIES: tuple[Colour, ...] = (
    MINT, (126, 200, 227), (250, 190, 110), (240, 150, 140), (188, 165, 230), (245, 215, 110), (160, 205, 120)
)  # fmt: skip
CLOTHES: tuple[Colour, ...] = (
    (226, 78, 86), (62, 110, 190), (250, 196, 60), (120, 80, 170), (60, 160, 140), (240, 130, 50), (235, 110, 160)
)  # fmt: skip
WALLS: tuple[Colour, ...] = (
    (255, 255, 255), (250, 240, 222), (208, 232, 245), (252, 222, 220), (224, 240, 212), (232, 224, 246),
    (255, 236, 170), (90, 120, 160), (70, 80, 110), (245, 160, 120), (120, 180, 170), (200, 200, 205),
)  # fmt: skip


def near(random: Random, colour: Colour, spread: float = 0.05) -> Colour:
    """`colour` with hue, saturation and brightness changed a little (each by at most about `spread`)."""
    hue, saturation, value = colorsys.rgb_to_hsv(*(channel / 255 for channel in colour))
    hue = (hue + random.uniform(-spread, spread)) % 1
    saturation = min(1, max(0, saturation * (1 + random.uniform(-2, 2) * spread)))
    value = min(1, max(0, value * (1 + random.uniform(-2, 1) * spread)))
    red, green, blue = (round(channel * 255) for channel in colorsys.hsv_to_rgb(hue, saturation, value))
    return red, green, blue


def dark(colour: Colour) -> Colour:
    """The colour of an edge around `colour`."""
    return mix(colour, INK, 0.55)


def light(colour: Colour) -> Colour:
    """The colour of a belly on `colour`."""
    return mix(colour, WHITE, 0.6)
