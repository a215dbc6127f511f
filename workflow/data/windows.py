"""Windows in pictures, listed in R-CNN's window files, cropped and warped to one size.

Source: src/caffe/layers/window_data_layer.cpp.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workflow.data.resize import two_tap
from workflow.errors import DatabaseError
from workflow.formats.files import read_whole
from workflow.formats.text import decode_names

Pixels = NDArray[np.uint8]
_MOST_BYTES = 2**30


@dataclass(frozen=True, kw_only=True)
class Window:
    """One window: which picture, what is in it, and where; the box's last row and column belong to it."""

    picture: int
    label: int
    overlap: float
    box: tuple[int, int, int, int]
    """x1, y1, x2, y2 in pixels."""


@dataclass(frozen=True, kw_only=True)
class WindowFile:
    """Pictures, and the windows of each."""

    pictures: list[str]
    channels: int
    windows: list[Window]

    @classmethod
    def read(cls, path: Path) -> WindowFile:
        """Parse `# index`, path, channels, height, width, number of windows; each: label, overlap, x1, y1, x2, y2.

        Raises:
            DatabaseError: it is missing, empty or of another form; says where.
        """
        words = iter(decode_names(read_whole(path, error=DatabaseError, limit=_MOST_BYTES)).split())
        pictures: list[str] = []
        channels: set[int] = set()
        windows: list[Window] = []
        try:
            for mark in words:
                if mark != "#":
                    raise ValueError(f"'{mark}' where '# index' should be")  # noqa: TRY301 - told just below
                next(words)  # the picture's own number: its place in the file is what counts
                pictures.append(next(words))
                channels.add(int(next(words)))
                _, _, count = (int(next(words)) for _ in range(3))
                windows += [_window(words, len(pictures) - 1) for _ in range(count)]
        except (ValueError, StopIteration, RuntimeError) as error:
            # a generator turns StopIteration into RuntimeError
            what = str(error) if isinstance(error, ValueError) else "it ends in the middle"
            raise DatabaseError(
                f"{path}: picture {len(pictures)}: {what}", hint="is this an R-CNN window file?"
            ) from error
        if len(channels) != 1:
            raise DatabaseError(f"{path}: pictures of {sorted(channels)} channels, expected pictures of one kind")
        return cls(pictures=pictures, channels=channels.pop(), windows=windows)

    def split(self, foreground: float, background: float) -> tuple[list[Window], list[Window]]:
        """Windows that overlap an object by `foreground` or more, and those that do by less than `background`.

        Those in between are left out; the background's label is 0, whatever the file says.

        Raises:
            DatabaseError: a window of the foreground with the background's label.
        """
        front = [window for window in self.windows if window.overlap >= foreground]
        wrong = next((window for window in front if window.label < 1), None)
        if wrong is not None:
            name = self.pictures[wrong.picture]
            raise DatabaseError(
                f"a window of {name} overlaps by {wrong.overlap:g} and has label {wrong.label}, expected 1 or more"
            )
        rest = [window for window in self.windows if window.overlap < min(foreground, background)]
        return front, [Window(picture=one.picture, label=0, overlap=0, box=one.box) for one in rest]


def _window(words: Iterator[str], picture: int) -> Window:
    label, overlap = int(next(words)), float(next(words))
    x1, y1, x2, y2 = (int(next(words)) for _ in range(4))
    return Window(picture=picture, label=label, overlap=overlap, box=(x1, y1, x2, y2))


def cut(
    pixels: Pixels, box: tuple[int, int, int, int], *, crop: int, context: int, square: bool, mirror: bool
) -> tuple[Pixels, int, int]:
    """A window resized to at most crop x crop pixels, and its position in that square.

    Args:
        pixels: uint8 (H, W, C).
        box: x1, y1, x2, y2.
        crop: the side of the result.
        context: so many pixels of the result, on each side, show what is around the window.
        square: whether the window is first made a square, around its centre; else it is warped.
        mirror: left to right.

    Returns:
        uint8 (h, w, C), and the rows above it and the columns left of it that lie outside of the picture.

    Raises:
        ValueError: the window does not lie in the picture.
    """
    height, width = pixels.shape[:2]
    size, above, left = (crop, crop), 0, 0
    if context or square:
        box = _expanded(box, crop, context, square=square)
        (x1, y1, x2, y2), unclipped = box, (box[2] - box[0] + 1, box[3] - box[1] + 1)
        outside = (max(0, -x1), max(0, -y1), max(0, x2 - width + 1), max(0, y2 - height + 1))
        box = (x1 + outside[0], y1 + outside[1], x2 - outside[2], y2 - outside[3])
        scale = [np.float32(crop) / np.float32(side) for side in unclipped]
        inner = [_round(np.float32(box[i + 2] - box[i] + 1) * scale[i]) for i in (0, 1)]
        above = _round(outside[1] * scale[1])
        left = _round(outside[2 if mirror else 0] * scale[0])
        size = (min(inner[0], crop - left), min(inner[1], crop - above))
    x1, y1, x2, y2 = box
    if not (0 <= x1 <= x2 < width and 0 <= y1 <= y2 < height) or min(size) < 1:
        raise ValueError(f"the window {box} does not lie in a picture of {width} x {height} pixels")
    patch = two_tap(np.ascontiguousarray(pixels[y1 : y2 + 1, x1 : x2 + 1]), size)
    return (patch[:, ::-1] if mirror else patch), above, left


def _expanded(box: tuple[int, int, int, int], crop: int, context: int, *, square: bool) -> tuple[int, int, int, int]:
    """The box with its context; float32 as in Caffe, so that halves are rounded alike."""
    x1, y1, x2, y2 = box
    factor = np.float32(crop) / np.float32(crop - 2 * context)
    half = [np.float32(x2 - x1 + 1) / 2, np.float32(y2 - y1 + 1) / 2]
    centre = [np.float32(x1) + half[0], np.float32(y1) + half[1]]
    if square:
        half = [max(half)] * 2
    low, high = ([_round(c + sign * h * factor) for c, h in zip(centre, half, strict=True)] for sign in (-1, 1))
    return low[0], low[1], high[0], high[1]


def _round(value: float | np.floating) -> int:
    """C's round: half away from zero."""
    return int(math.copysign(math.floor(abs(float(value)) + 0.5), float(value)))
