"""Encoded pictures inside Datums, decoded as Caffe does with OpenCV."""

from __future__ import annotations

import io
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from workflow.silence import silenced

MAX_PIXELS = 50_000_000
_AT_ONCE = 2**22  # pixels that are converted at once
_FORMATS = ("JPEG", "PNG", "BMP", "WEBP")
_ACCEPTED = (*_FORMATS, "MPO")  # Pillow opens a phone's two-picture JPEG as MPO; its first picture is what is meant
_MODES = {"L": "L", "1": "L", "RGB": "RGB", "RGBA": "RGBA", "LA": "RGBA", "PA": "RGBA", "CMYK": "RGB", "YCbCr": "RGB"}


def decode_picture(data: bytes, force: Literal["color", "gray"] | None = None) -> NDArray[np.uint8]:
    """A JPEG, PNG, BMP or WebP file's pixels, uint8 (channels, height, width), BGR or BGRA or grey.

    Raises:
        ValueError: says what is wrong, to follow "a picture that".
    """
    try:
        # Pillow remarks on odd metadata, and on a size that is refused here anyway
        with silenced(), Image.open(io.BytesIO(data), formats=_FORMATS) as picture:
            return _pixels(picture, force)
    except Image.DecompressionBombError:
        raise ValueError(f"has more than {MAX_PIXELS} pixels") from None
    except MemoryError:
        raise ValueError("needs more memory than is available") from None
    except (OSError, SyntaxError, EOFError, OverflowError) as error:
        # Pillow's PNG reader says SyntaxError for a bad checksum
        raise ValueError(f"cannot be decoded ({str(error).splitlines()[0] if str(error) else 'cut'})") from None


def _pixels(picture: Image.Image, force: Literal["color", "gray"] | None) -> NDArray[np.uint8]:
    if picture.format not in _ACCEPTED:
        raise ValueError(f"has the format {picture.format}, not one of {', '.join(_FORMATS)}")
    width, height = picture.size
    if width * height > MAX_PIXELS:
        raise ValueError(f"has {width} x {height} pixels, more than {MAX_PIXELS}")
    mode = {"color": "RGB", "gray": "L"}.get(force or "", _mode(picture))
    if picture.mode.startswith(("I", "F")) and force is None:
        raise ValueError("has more than 8 bits a channel")
    order = {"L": [0], "RGB": [2, 1, 0], "RGBA": [2, 1, 0, 3]}[mode]  # RGB(A) -> BGR(A)
    pixels = np.empty((len(order), height, width), np.uint8)
    rows = max(1, _AT_ONCE // width)
    for top in range(0, height, rows):  # a large picture is never there three times
        part = picture if rows >= height else picture.crop((0, top, width, min(top + rows, height)))
        pixels[:, top : top + rows] = _converted(part, mode).transpose(2, 0, 1)[order]
    return pixels


def _converted(picture: Image.Image, mode: str) -> NDArray[np.uint8]:
    """uint8 (height, width, channels)."""
    if picture.mode.startswith(("I", "F")):  # OpenCV keeps the upper 8 of 16 bits when a depth is forced
        picture = Image.fromarray((np.asarray(picture).astype(np.uint32) >> 8).astype(np.uint8))
    return np.atleast_3d(np.asarray(picture.convert(mode)))


def _mode(picture: Image.Image) -> str:
    if picture.mode == "P":
        return "RGBA" if "transparency" in picture.info else "RGB"
    return _MODES.get(picture.mode, "RGB")
