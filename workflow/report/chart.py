"""Panels with lines and two axes, drawn by Pillow: in a fifth of the time of matplotlib, without importing it.

For the picture that every training draws. What is inside a panel is drawn three times as large and reduced.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from PIL import Image, ImageColor, ImageDraw

from workflow.fonts import draw_text, text_width
from workflow.report.canvas import INK

Points = Sequence[tuple[float, float]]

_FINE = 3  # drawn pixels of a side for each one of the picture
_TEXT, _TITLE, _LINE = 14, 17, 20  # pixels: sizes of letters, and from one line to the next
_TICK, _PAD = 5, 6  # pixels: a tick, and between things
_GRID, _WHITE = "#dfdfe2", "#ffffff"
_TICKS = 7  # steps of an axis, at most


class Panel:
    """A part of a picture with axes of its own; what lies beyond them is not drawn.

    Args:
        picture: RGB, to draw on.
        box: left, top, right and bottom of the inside, in pixels.
        across, up: the least and the greatest number of each axis.
    """

    def __init__(
        self,
        picture: Image.Image,
        box: tuple[int, int, int, int],
        across: tuple[float, float],
        up: tuple[float, float],
    ) -> None:
        self._picture, self._box, self._across, self._up = picture, box, across, up
        left, top, right, bottom = box
        self._inside = Image.new("RGB", ((right - left) * _FINE, (bottom - top) * _FINE), _WHITE)
        self._pen = ImageDraw.Draw(self._inside)
        self._x_ticks, self._y_ticks = ticks(*across, whole=True), ticks(*up)
        for x in self._x_ticks:
            self._pen.line([self._at((x, up[0])), self._at((x, up[1]))], _GRID, _FINE)
        for y in self._y_ticks:
            self._pen.line([self._at((across[0], y)), self._at((across[1], y))], _GRID, _FINE)

    def line(self, points: Points, colour: str, *, width: float = 2, share: float = 1, dots: bool = False) -> None:
        """Join points; `share` is how much of the colour is mixed into white, `dots` marks each point."""
        mixed = _mixed(colour, share)
        places = [self._at(point) for point in points]
        self._pen.line(places, mixed, max(1, round(width * _FINE)), joint="curve")
        radius = 3 * _FINE
        for x, y in places if dots else ():
            self._pen.ellipse((x - radius, y - radius, x + radius, y + radius), mixed)

    def finish(self, *, label: str, below: str | None = None) -> ImageDraw.ImageDraw:
        """Put the inside into the picture, with its axes; returns a pen for what is written over it.

        Args:
            label: of the axis upwards.
            below: of the axis across; None leaves out its numbers, too.
        """
        left, top, right, bottom = self._box
        self._picture.paste(self._inside.reduce(_FINE), (left, top))
        pen = ImageDraw.Draw(self._picture)
        pen.line([(left, top), (left, bottom), (right, bottom)], INK)
        ink = ImageColor.getrgb(INK)
        for x in self._x_ticks:
            place = self.place((x, self._up[0]))[0]
            pen.line([(place, bottom), (place, bottom + _TICK)], INK)
            if below is not None:
                words = f"{x:,.0f}"
                draw_text(pen, (place - text_width(words, _TEXT) / 2, bottom + _PAD), words, size=_TEXT, fill=ink)
        for y, words in zip(self._y_ticks, _numbers(self._y_ticks), strict=True):
            place = self.place((self._across[0], y))[1]
            pen.line([(left - _TICK, place), (left, place)], INK)
            at = (left - _TICK - 3 - text_width(words, _TEXT), place - _LINE / 2 + 1)
            draw_text(pen, at, words, size=_TEXT, fill=ink)
        if below is not None:
            middle = (left + right - text_width(below, _TEXT)) / 2
            draw_text(pen, (middle, bottom + _PAD + _LINE), below, size=_TEXT, fill=ink)
        upright = Image.new("RGB", (bottom - top, _LINE), _WHITE)
        draw_text(
            ImageDraw.Draw(upright), ((bottom - top - text_width(label, _TEXT)) / 2, 1), label, size=_TEXT, fill=ink
        )
        self._picture.paste(upright.transpose(Image.Transpose.ROTATE_90), (2, top))
        return pen

    def legend(self, pen: ImageDraw.ImageDraw, entries: Sequence[tuple[str, str, float]]) -> None:
        """Words, colours and their shares in the upper right corner, one under the other."""
        _, top, right, _ = self._box
        widest = max((text_width(words, _TEXT) for words, _, _ in entries), default=0)
        left = right - widest - _PAD
        for number, (words, colour, share) in enumerate(entries):
            y = top + _PAD + number * _LINE
            pen.line([(left - 34, y + _LINE / 2), (left - 8, y + _LINE / 2)], _mixed(colour, share), 2)
            draw_text(pen, (left, y), words, size=_TEXT, fill=ImageColor.getrgb(INK))

    def place(self, point: tuple[float, float]) -> tuple[float, float]:
        """Where a point is in the picture."""
        x, y = self._at(point)
        return self._box[0] + x / _FINE, self._box[1] + y / _FINE

    def write(
        self,
        pen: ImageDraw.ImageDraw,
        at: tuple[float, float],
        words: str,
        anchor: Literal["left", "middle", "right"],
    ) -> None:
        """Words beside a place in the picture: it is left of them, in their middle or right of them."""
        share = {"left": 0.0, "middle": 0.5, "right": 1.0}[anchor]
        left = at[0] - share * text_width(words, _TEXT)
        draw_text(pen, (left, at[1] - _LINE / 2), words, size=_TEXT, fill=ImageColor.getrgb(INK))

    def _at(self, point: tuple[float, float]) -> tuple[float, float]:
        """Where a point is in the enlarged inside."""
        width, height = self._inside.size
        (left, right), (low, high) = self._across, self._up
        return (point[0] - left) / (right - left) * width, (high - point[1]) / (high - low) * height


def write_title(picture: Image.Image, words: str) -> None:
    """A title in the middle of the upper edge."""
    at = ((picture.width - text_width(words, _TITLE)) / 2, 14)
    draw_text(ImageDraw.Draw(picture), at, words, size=_TITLE, fill=ImageColor.getrgb(INK))


def ticks(least: float, most: float, *, whole: bool = False) -> list[float]:
    """The multiples of 1, 2 or 5 times a power of ten in a range, about seven; only whole numbers if `whole`."""
    rough = (most - least) / _TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    step = max(1.0, step) if whole else step
    first, last = math.ceil(least / step - 1e-9), math.floor(most / step + 1e-9)
    return [number * step for number in range(first, last + 1)]


def _numbers(found: list[float]) -> list[str]:
    """Multiples of a step with as many decimals as tell them apart, or short as 2e+06."""
    step = found[1] - found[0] if len(found) > 1 else 1.0
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    short = decimals > 4 or max(map(abs, found), default=0) >= 1e6
    return [f"{number:.3g}" if short else f"{number:.{decimals}f}" for number in found]


def _mixed(colour: str, share: float) -> tuple[int, ...]:
    return tuple(round(255 + share * (part - 255)) for part in ImageColor.getrgb(colour))
