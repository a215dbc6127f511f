"""A large picture as strips of rows, each made upright and opaque only when needed.

A picture of 50 megapixels takes 200 MB in Pillow. Turning it, laying it on a background and cropping it as a whole
would take as much again each time; strip by strip, all of that takes a few megabytes. The pixels are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from PIL import Image

from workflow.data.opaque import opaque, upright

LARGE = 2**22  # pixels: below, a picture is handled as a whole, which is a little faster
_PIXELS = 2**20  # of a strip, about

Box = tuple[int, int, int, int]
"""left, upper, right, lower; right and lower are outside, as in Pillow."""


class Strips:
    """A picture seen upright and opaque.

    Args:
        image: as decoded.
        orientation: EXIF's number.
        background: shows through transparent pixels.
        mode: `L` to see it in grey, else None.
        crop: gives a part of the picture as decoded; the image's own crop if not given.

    Attributes:
        size: (width, height), upright.
        mode: RGB or L.
    """

    def __init__(
        self,
        image: Image.Image,
        orientation: int,
        background: tuple[int, int, int],
        mode: str | None = None,
        *,
        crop: Callable[[Box], Image.Image] | None = None,
    ) -> None:
        self._source, self._orientation, self._background, self._wanted = image, orientation, background, mode
        self._crop = crop or image.crop
        self.size: tuple[int, int] = image.size[::-1] if orientation >= 5 else image.size
        self.mode = self.part((0, 0, 1, 1)).mode

    def part(self, box: Box) -> Image.Image:
        """A part of it, as a picture of its own."""
        part = upright(self._crop(self._below(box)), self._orientation)
        part = opaque(part, self._background)
        return part if self._wanted in (None, part.mode) else part.convert(self._wanted)

    def rows(self, box: Box) -> Iterator[tuple[int, Image.Image]]:
        """A part of it from top to bottom: the first row of each strip, counted from the part's own, and the strip."""
        left, upper, right, lower = box
        height = max(1, _PIXELS // (right - left))
        for top in range(upper, lower, height):
            yield top - upper, self.part((left, top, right, min(top + height, lower)))

    def _below(self, box: Box) -> Box:
        """Where a box of the upright picture is in the picture as decoded."""
        left, upper, right, lower = box
        width, height = self._source.size
        match self._orientation:
            case 2:
                return width - right, upper, width - left, lower
            case 3:
                return width - right, height - lower, width - left, height - upper
            case 4:
                return left, height - lower, right, height - upper
            case 5:
                return upper, left, lower, right
            case 6:
                return upper, height - right, lower, height - left
            case 7:
                return width - lower, height - right, width - upper, height - left
            case 8:
                return width - lower, left, width - upper, right
        return box
