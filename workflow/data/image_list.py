"""Pictures listed with their labels in a text file, read as Caffe's ImageData layer reads them."""

from __future__ import annotations

import io
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from workflow.data.resize import two_tap
from workflow.data.transform import Array, Transform
from workflow.errors import DatabaseError
from workflow.formats.encoded import decode_picture
from workflow.formats.files import read_whole
from workflow.formats.text import decode_names

Pixels = NDArray[np.uint8]
_MOST_BYTES = 2**28
_ORIENTATION = 0x0112  # EXIF's tag


def read_picture(path: Path, *, color: bool, size: tuple[int, int] | None = None, listed: str = "") -> Pixels:
    """A picture's pixels as OpenCV reads them, uint8 (3, H, W) in BGR or (1, H, W), resized to (height, width).

    Raises:
        DatabaseError: it is missing or cannot be decoded; `listed` says where it is named.
    """
    at = f"{listed}: " if listed else ""
    data = read_whole(path, error=DatabaseError, limit=_MOST_BYTES, hint=f"named in {listed}" if listed else None)
    try:
        pixels = _upright(decode_picture(data, "color" if color else "gray"), data)
    except ValueError as error:
        raise DatabaseError(f"{at}{path} {error}") from error
    if size is None or pixels.shape[1:] == size:
        return pixels
    scaled = two_tap(np.ascontiguousarray(pixels.transpose(1, 2, 0)), (size[1], size[0]))
    return np.ascontiguousarray(scaled.reshape(*size, -1).transpose(2, 0, 1))


def _upright(pixels: Pixels, data: bytes) -> Pixels:
    """Rotated and mirrored (C, H, W) by the JPEG's EXIF orientation, as OpenCV does."""
    try:
        with Image.open(io.BytesIO(data)) as picture:
            orientation = picture.getexif().get(_ORIENTATION, 1) if picture.format in ("JPEG", "MPO") else 1
    except Exception:  # broken metadata do not make a picture unreadable
        orientation = 1
    if orientation in (5, 6, 7, 8):
        pixels = pixels.transpose(0, 2, 1)
    rows = -1 if orientation in (3, 4, 7, 8) else 1
    columns = -1 if orientation in (2, 3, 6, 7) else 1
    return np.ascontiguousarray(pixels[:, ::rows, ::columns])


class ImageList:
    """Batches of listed pictures: batch number k holds those that Caffe's ImageData layer gives as its k-th.

    Pictures come in the order of the list, repeatedly; with `shuffle`, each round in an order that is a function
    of (seed, round). `rand_skip` leaves out fewer than that many at the very beginning.
    """

    def __init__(
        self, source: Path, folder: Path, *, color: bool = True, size: tuple[int, int] | None = None, prefix: str = ""
    ) -> None:
        """Read the list.

        Args:
            source: a text file; each line holds a path and, behind the last space, a whole number.
            folder: that the paths are relative to, once `prefix` is before them.
            color: BGR, or grey.
            size: (height, width) to resize to; None for each picture's own.
            prefix: `root_folder`; it is put before the path as it is, a slash is not added.

        Raises:
            DatabaseError: the list is missing or empty, or a line has no label.
        """
        self.source, self.folder, self.color, self.size, self.prefix = source, folder, color, size, prefix
        text = decode_names(read_whole(source, error=DatabaseError, limit=_MOST_BYTES))
        self.lines = [self._line(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
        if not self.lines:
            raise DatabaseError(f"{source} lists no pictures", hint="write 'path label' into it, one per line")

    def _line(self, number: int, line: str) -> tuple[str, int, int]:
        path, _, label = line.rstrip().rpartition(" ")
        try:
            return path.rstrip(), int(label), number
        except ValueError:
            # Caffe's atoi would make 0 of it
            raise DatabaseError(
                f"{self.source}:{number}: label '{label}' is not a whole number", hint="a line is 'path label'"
            ) from None

    def pixels(self, index: int) -> Pixels:
        """The picture of one line."""
        path, _, number = self.lines[index]
        listed = f"{self.source}:{number}"
        return read_picture(self.folder / f"{self.prefix}{path}", color=self.color, size=self.size, listed=listed)

    def index(self, number: int, *, seed: int, shuffle: bool, rand_skip: int) -> int:
        """The index of the line at a position."""
        skip = int(np.random.default_rng([seed, rand_skip]).integers(rand_skip)) if rand_skip else 0
        if skip >= len(self.lines):
            raise DatabaseError(f"rand_skip={rand_skip}, but {self.source} lists {len(self.lines)} pictures")
        turn, place = divmod(skip + number, len(self.lines))
        return int(_order(len(self.lines), seed, turn)[place]) if shuffle else place

    def batch(self, indices: list[int], transform: Transform, *, phase: str, rng: np.random.Generator) -> Array:
        """Transformed pictures, float32 (n, C, h, w).

        Raises:
            DatabaseError: their sizes differ, and nothing crops them.
        """
        parts = [transform.apply(self.pixels(index)[None], phase=phase, rng=rng) for index in indices]
        shapes = [part.shape for part in parts]
        odd = next((i for i, shape in enumerate(shapes) if shape != shapes[0]), None)
        if odd is not None:
            path, _, number = self.lines[indices[odd]]
            raise DatabaseError(
                f"{self.source}:{number}: {path} has shape {shapes[odd][1:]}, the batch's first {shapes[0][1:]}",
                hint="set new_height and new_width, or crop_size, or batch_size: 1",
            )
        return np.concatenate(parts)


@lru_cache(maxsize=4)
def _order(count: int, seed: int, turn: int) -> NDArray[np.int64]:
    return np.random.default_rng([seed, turn]).permutation(count)
