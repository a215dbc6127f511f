"""Resize a picture to the net's input size: fit, crop or pad, and the resampling kernel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from workflow.config import Preprocessing
from workflow.data.strips import Box, Strips

_PILLOW = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
    "box": Image.Resampling.BOX,
}


def resize(image: Image.Image | Strips, preprocessing: Preprocessing) -> Image.Image:
    """Bring an opaque picture (mode RGB or L), or one in strips, to `preprocessing.width` x `preprocessing.height`.

    squash takes the whole picture and ignores its aspect ratio, crop the largest centred part of the right ratio, pad
    the whole picture centred on the background. A picture of the right size is returned as it is, whatever the fit.
    """
    size = (preprocessing.width, preprocessing.height)
    if image.size == size:
        return image.part((0, 0, *size)) if isinstance(image, Strips) else image
    if preprocessing.fit == "pad":
        return _padded(image, preprocessing)
    whole = (0, 0, *image.size)
    box = centre(image.size, size) if preprocessing.fit == "crop" else whole
    return scaled(image, size, box, preprocessing.kernel)


def centre(source: tuple[int, int], target: tuple[int, int]) -> Box:
    """The largest centred box (left, upper, right, lower) inside `source` that has the aspect ratio of `target`."""
    (width, height), (w, h) = source, target
    if width * h > height * w:
        part = max(1, round(height * w / h))
        left = (width - part) // 2
        return left, 0, left + part, height
    part = max(1, round(width * h / w))
    upper = (height - part) // 2
    return 0, upper, width, upper + part


def _padded(image: Image.Image | Strips, preprocessing: Preprocessing) -> Image.Image:
    (width, height), w, h = image.size, preprocessing.width, preprocessing.height
    factor = min(w / width, h / height)
    inner = (max(1, round(width * factor)), max(1, round(height * factor)))
    canvas = Image.new("RGB", (w, h), preprocessing.background)
    if image.mode == "L":
        canvas = canvas.convert("L")
    inside = scaled(image, inner, (0, 0, width, height), preprocessing.kernel)
    canvas.paste(inside, ((w - inner[0]) // 2, (h - inner[1]) // 2))
    return canvas


def scaled(image: Image.Image | Strips, size: tuple[int, int], box: Box, kernel: str) -> Image.Image:
    """A part of a picture, by a kernel of the settings, at another size (width, height)."""
    if isinstance(image, Strips):
        return _scaled_strips(image, size, box, kernel)
    if box != (0, 0, *image.size):
        image = image.crop(box)  # Pillow's own `box` would let pixels beyond it shine in
    if kernel != "opencv":
        return image.resize(size, _PILLOW[kernel])
    return Image.fromarray(two_tap(np.asarray(image), size))


def _scaled_strips(image: Strips, size: tuple[int, int], box: Box, kernel: str) -> Image.Image:
    """The same pixels: Pillow, too, resizes along the rows first, which knows nothing of other rows."""
    height = box[3] - box[1]
    if kernel != "opencv":
        narrow = Image.new(image.mode, (size[0], height))
        for top, strip in image.rows(box):
            narrow.paste(strip.resize((size[0], strip.height), _PILLOW[kernel]), (0, top))
        return narrow.resize(size, _PILLOW[kernel])
    first, second, _ = _taps(height, size[1])
    needed = np.union1d(first, second)
    rows = [
        np.asarray(strip)[needed[(needed >= top) & (needed < top + strip.height)] - top]
        for top, strip in image.rows(box)
    ]
    return Image.fromarray(_tapped(np.concatenate(rows), size, height, needed))


def two_tap(pixels: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Bilinear interpolation between the two nearest pixels of each axis, without antialiasing.

    What convert_imageset's resize does (OpenCV's INTER_LINEAR): pixel centres lie at halves, the outermost pixels are
    repeated, weights have 11 bits; equal to it in every pixel. Shrinking by much skips most pixels, as there.

    Args:
        pixels: uint8 (H, W) or (H, W, C).
        size: (width, height) of the result.

    Returns:
        uint8 (height, width) or (height, width, C).
    """
    return _tapped(pixels, size, pixels.shape[0], np.arange(pixels.shape[0]))


def _tapped(
    pixels: NDArray[np.uint8], size: tuple[int, int], source: int, present: NDArray[np.intp]
) -> NDArray[np.uint8]:
    """`two_tap` of a picture `source` rows high, of which only the rows `present` are given, in ascending order."""
    width, height = size
    rows, below, down = _taps(source, height)
    rows, below = np.searchsorted(present, rows), np.searchsorted(present, below)
    columns, right, across = _taps(pixels.shape[1], width)
    extra = (1,) * (pixels.ndim - 2)
    across = across.reshape(1, -1, *extra)
    down = down.reshape(-1, 1, *extra)

    def line(indices: NDArray[np.intp]) -> NDArray[np.int64]:
        """Rows `indices`, interpolated along the row: (height, width[, C]) times 128."""
        taken = pixels[indices].astype(np.int64)
        return (taken[:, columns] * (2048 - across) + taken[:, right] * across) >> 4

    # where and how far OpenCV drops bits between its two passes
    upper, lower = (line(rows) * (2048 - down)) >> 16, (line(below) * down) >> 16
    return ((upper + lower + 2) >> 2).astype(np.uint8)


def _taps(source: int, target: int) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.int64]]:
    """For each target position: the two source positions, and the second's weight in 1/2048.

    Beyond the outermost pixel centres both positions are that pixel, and keep their two weights, as in OpenCV: bits
    that are dropped of two parts are more than those of the whole.
    """
    position = (np.arange(target) + 0.5) * (source / target) - 0.5
    below = np.floor(position)
    first, second = (np.clip(below + step, 0, source - 1).astype(np.intp) for step in (0, 1))
    return first, second, np.rint((position - below) * 2048).astype(np.int64)
