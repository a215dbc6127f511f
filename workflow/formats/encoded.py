"""Encoded pictures inside Datums, decoded to what OpenCV's unchanged reading gives Caffe."""

from __future__ import annotations

import io
import warnings
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

MAX_PIXELS = 50_000_000
_FORMATS = ("JPEG", "PNG", "BMP", "WEBP")
_ACCEPTED = (*_FORMATS, "MPO")  # Pillow opens a phone's two-picture JPEG as MPO; its first picture is what is meant
_MODES = {"L": "L", "1": "L", "RGB": "RGB", "RGBA": "RGBA", "LA": "RGBA", "PA": "RGBA", "CMYK": "RGB", "YCbCr": "RGB"}


def decode_picture(data: bytes, force: Literal["color", "gray"] | None = None) -> NDArray[np.uint8]:
    """A JPEG, PNG, BMP or WebP file's pixels, uint8 (channels, height, width), BGR or BGRA or grey.

    Raises:
        ValueError: says what is wrong, to follow "a picture that".
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's remarks on odd metadata
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=_FORMATS) as picture:
                return _pixels(picture, force)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ValueError(f"has more than {MAX_PIXELS} pixels") from None
    except (OSError, SyntaxError, EOFError, OverflowError, MemoryError) as error:
        # Pillow's PNG reader says SyntaxError for a bad checksum
        raise ValueError(f"cannot be decoded ({str(error).splitlines()[0] if str(error) else 'cut'})") from None


def _pixels(picture: Image.Image, force: Literal["color", "gray"] | None) -> NDArray[np.uint8]:
    if picture.format not in _ACCEPTED:
        raise ValueError(f"has the format {picture.format}, not one of {', '.join(_FORMATS)}")
    width, height = picture.size
    if width * height > MAX_PIXELS:
        raise ValueError(f"has {width} x {height} pixels, more than {MAX_PIXELS}")
    mode = {"color": "RGB", "gray": "L"}.get(force or "", _mode(picture))
    if picture.mode.startswith(("I", "F")):
        if force is None:
            raise ValueError("has more than 8 bits a channel")
        # OpenCV keeps the upper 8 of 16 bits when a depth is forced
        picture = Image.fromarray((np.asarray(picture).astype(np.uint32) >> 8).astype(np.uint8))
    array = np.asarray(picture.convert(mode))  # (height, width) or (height, width, channels)
    if array.ndim == 2:
        return array[np.newaxis]
    order = [2, 1, 0, 3][: array.shape[2]]  # RGB(A) -> BGR(A)
    return np.ascontiguousarray(array[:, :, order].transpose(2, 0, 1))


def _mode(picture: Image.Image) -> str:
    if picture.mode == "P":
        return "RGBA" if "transparency" in picture.info else "RGB"
    return _MODES.get(picture.mode, "RGB")
