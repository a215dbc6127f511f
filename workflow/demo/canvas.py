"""A small drawing board: shapes in units, turned and scaled as a group, smooth edges by drawing large and shrinking.

The unit square of a board runs from (-1, -1), top left, to (1, 1), bottom right; y grows downwards as in pictures.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from PIL import Image, ImageDraw, ImageFont

Colour = tuple[int, int, int]
Point = tuple[float, float]

_OVERSAMPLING = 3
_ROUND = 40  # corners of the polygon that stands for an ellipse


class Canvas:
    """An RGB picture of `size` pixels a side, drawn three times as large.

    Args:
        size: side of the finished picture in pixels.
        background: colour of the empty board.
    """

    def __init__(self, size: int, background: Colour) -> None:
        self._size = size
        self._large = size * _OVERSAMPLING
        self._image = Image.new("RGB", (self._large, self._large), background)
        self._draw = ImageDraw.Draw(self._image)
        self._frames: list[tuple[float, float, float, float]] = [(self._large / 2, 0.0, 0.0, 0.0)]

    @contextmanager
    def placed(self, *, at: Point = (0, 0), scale: float = 1.0, turn: float = 0.0) -> Iterator[None]:
        """Draw what follows around `at`, `scale` times as large and turned by `turn` radians, clockwise."""
        outer, _, _, angle = self._frames[-1]
        x, y = self._place(at)
        self._frames.append((outer * scale, x - self._large / 2, y - self._large / 2, angle + turn))
        try:
            yield
        finally:
            self._frames.pop()

    def polygon(
        self, points: Sequence[Point], fill: Colour, *, edge: Colour | None = None, width: float = 0.05
    ) -> None:
        """A filled outline, `edge` drawn on it as a line of `width`."""
        placed = [self._place(point) for point in points]
        self._draw.polygon(placed, fill=fill)
        if edge is not None:
            self._stroke([*placed, placed[0]], edge, width)

    def ellipse(
        self,
        at: Point,
        rx: float,
        ry: float,
        fill: Colour,
        *,
        turn: float = 0.0,
        edge: Colour | None = None,
        width: float = 0.05,
    ) -> None:
        """An ellipse around `at` with half axes `rx` and `ry`, turned by `turn` radians."""
        self.polygon(arc(at, rx, ry, 0, 2 * math.pi, turn=turn), fill, edge=edge, width=width)

    def smooth(self, points: Sequence[Point], fill: Colour, *, edge: Colour | None = None, width: float = 0.05) -> None:
        """A closed soft shape through `points`."""
        self.polygon(curve(points, closed=True), fill, edge=edge, width=width)

    def line(self, points: Sequence[Point], colour: Colour, width: float, *, soft: bool = False) -> None:
        """A line with round ends through `points`; `soft` bends it instead of breaking it."""
        self._stroke([self._place(point) for point in (curve(points) if soft else points)], colour, width)

    def text(self, at: Point, words: str, colour: Colour, height: float) -> None:
        """`words` centred at `at`, upright, letters about `height` high; a character after `^` is raised.

        The font comes with Pillow: Latin letters, digits and the usual signs.
        """
        plain, *raised_parts = words.split("^")
        pieces = [(plain, False)]
        for part in raised_parts:
            pieces += [(part[:1], True), (part[1:], False)]
        fonts = {raised: self._font(height * (0.65 if raised else 1.0)) for raised in (True, False)}
        x, y = self._place(at)
        x -= sum(fonts[raised].getlength(text) for text, raised in pieces) / 2
        for text, raised in pieces:
            lift = 0.32 * height * self._frames[-1][0] if raised else 0
            self._draw.text((x, y - lift), text, fill=colour, font=fonts[raised], anchor="lm")
            x += fonts[raised].getlength(text)

    def fade(self, top: Colour, bottom: Colour) -> None:
        """Cover the board with a vertical change of colour."""
        strip = Image.new("RGB", (1, 2))
        strip.putpixel((0, 0), top)
        strip.putpixel((0, 1), bottom)
        self._image.paste(strip.resize((self._large, self._large), Image.Resampling.BILINEAR))

    def finish(self) -> Image.Image:
        """The picture at its own size, uint8 RGB."""
        return self._image.resize((self._size, self._size), Image.Resampling.BOX)

    def _font(self, height: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
        return ImageFont.load_default(size=max(6.0, height * self._frames[-1][0]))

    def _place(self, point: Point) -> Point:
        scale, x, y, angle = self._frames[-1]
        sine, cosine = math.sin(angle), math.cos(angle)
        return (
            self._large / 2 + x + scale * (cosine * point[0] - sine * point[1]),
            self._large / 2 + y + scale * (sine * point[0] + cosine * point[1]),
        )

    def _stroke(self, placed: list[Point], colour: Colour, width: float) -> None:
        thick = max(1.0, width * self._frames[-1][0])
        self._draw.line(placed, fill=colour, width=round(thick), joint="curve")
        for x, y in (placed[0], placed[-1]):
            self._draw.ellipse((x - thick / 2, y - thick / 2, x + thick / 2, y + thick / 2), fill=colour)


def arc(at: Point, rx: float, ry: float, start: float, end: float, *, turn: float = 0.0) -> list[Point]:
    """Points along an ellipse from angle `start` to `end` (radians, clockwise from the right)."""
    sine, cosine = math.sin(turn), math.cos(turn)
    points = []
    for step in range(_ROUND + 1):
        angle = start + (end - start) * step / _ROUND
        x, y = rx * math.cos(angle), ry * math.sin(angle)
        points.append((at[0] + cosine * x - sine * y, at[1] + sine * x + cosine * y))
    return points


def curve(points: Sequence[Point], *, closed: bool = False, steps: int = 8) -> list[Point]:
    """A Catmull-Rom spline through `points`.

    Between p1 and p2, with neighbours p0 and p3, at t in 0..1:
    0.5 * (2 p1 + (p2 - p0) t + (2 p0 - 5 p1 + 4 p2 - p3) t^2 + (3 p1 - p0 - 3 p2 + p3) t^3).
    """
    count = len(points)
    around = range(count if closed else count - 1)
    bent: list[Point] = []
    for index in around:
        if closed:
            four = [points[(index + offset) % count] for offset in (-1, 0, 1, 2)]
        else:
            four = [points[min(max(index + offset, 0), count - 1)] for offset in (-1, 0, 1, 2)]
        bent += [_spline(four, step / steps) for step in range(steps)]
    return bent if closed else [*bent, points[-1]]


def _spline(four: Sequence[Point], t: float) -> Point:
    p0, p1, p2, p3 = four
    x, y = (
        0.5
        * (
            2 * p1[axis]
            + (p2[axis] - p0[axis]) * t
            + (2 * p0[axis] - 5 * p1[axis] + 4 * p2[axis] - p3[axis]) * t**2
            + (3 * p1[axis] - p0[axis] - 3 * p2[axis] + p3[axis]) * t**3
        )
        for axis in (0, 1)
    )
    return x, y


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """`one` with `share` (0..1) of `other` in it."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue
