"""A fast path for small, plain JPEGs, which most training sets consist of.

Half of Pillow's time for them is spent in reading markers and setting up what a plain file does not need.

The pixels come from the very decoder that JpegImageFile uses (a test compares them bit for bit). Whatever is not
plain, or does not decode, gets None here and takes the long way, which knows EXIF and CMYK and says what is wrong.
"""

from __future__ import annotations

from PIL import Image

_SIZES = (b"\xc0", b"\xc1")  # SOF0, SOF1: sequential, Huffman
_SCAN = b"\xda"
# DQT, DHT, DRI, comment, and APP0 (JFIF): these say nothing about how to show the picture
_HARMLESS = frozenset((b"\xdb", b"\xc4", b"\xdd", b"\xfe", b"\xe0"))
_MODES = {1: "L", 3: "RGB"}


def read_plain(data: bytes, width: int, height: int, max_pixels: int) -> Image.Image | None:
    """Decode a file, if it is plain and less than `width` wide or less than `height` high.

    Returns:
        A picture of mode L or RGB, or None for the long way.
    """
    header = _header(data)
    if header is None:
        return None
    size, mode = header
    if (size[0] >= width and size[1] >= height) or not 0 < size[0] * size[1] <= max_pixels:
        return None
    try:
        return Image.frombytes(mode, size, data, "jpeg", mode, "")
    except Exception:  # truncated or damaged: the long way says how
        return None


def plain_size(data: bytes) -> tuple[int, int] | None:
    """(width, height) of a plain JPEG; None for the long way."""
    found = _header(data)
    return None if found is None else found[0]


def _header(data: bytes) -> tuple[tuple[int, int], str] | None:
    """Size and mode, where every marker before the first scan is harmless."""
    size, mode = None, None
    position = 2  # after SOI
    while data[position : position + 1] == b"\xff":
        marker = data[position + 1 : position + 2]
        if marker == _SCAN:
            return None if size is None or mode is None else (size, mode)
        if marker in _SIZES:
            facts = data[position + 4 : position + 10]
            if len(facts) < 6 or facts[0] != 8:  # bits
                return None
            size = (int.from_bytes(facts[3:5], "big"), int.from_bytes(facts[1:3], "big"))
            mode = _MODES.get(facts[5])
        elif marker not in _HARMLESS:
            return None
        position += 2 + int.from_bytes(data[position + 2 : position + 4], "big")
    return None
