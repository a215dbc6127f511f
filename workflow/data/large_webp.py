"""Decode a large WebP in parts, one after the other.

Pillow decodes WebP by libwebp's animation decoder alone, which keeps two canvases beside the picture: 20 bytes for a
pixel, 1 GB for 50 megapixels. libwebp's plain decoder, in the same library that Pillow brings, cuts out a part while it
decodes: 4 bytes for a pixel at most, and the part. The pixels are the same.
"""

from __future__ import annotations

import ctypes
import functools
from typing import ClassVar

import numpy as np
from PIL import Image, WebPImagePlugin

from workflow.data.sniff import PictureError
from workflow.data.strips import Box

_ABI = 0x0209  # of libwebp's decoder since 2016; it refuses another major number itself
_RGBA = 1  # enum WEBP_CSP_MODE
_OUT_OF_MEMORY, _CUT = 1, (5, 7)  # enum VP8StatusCode; suspended and not enough data
_BAND = 12_500_000  # pixels that are decoded at once: 50 MB
_MARGIN = 2  # rows beside a band that its colours are interpolated with; an even number, as libwebp cuts


class _Features(ctypes.Structure):
    _fields_: ClassVar = [
        *((name, ctypes.c_int) for name in ("width", "height", "has_alpha", "has_animation", "format")),
        ("pad", ctypes.c_uint32 * 5),
    ]


class _Buffer(ctypes.Structure):
    """WebPDecBuffer; the union's larger half (YUVA) is padding here."""

    _fields_: ClassVar = [
        *((name, ctypes.c_int) for name in ("colorspace", "width", "height", "is_external_memory")),
        ("rgba", ctypes.c_void_p),
        ("stride", ctypes.c_int),
        ("size", ctypes.c_size_t),
        ("yuva", ctypes.c_byte * (4 * ctypes.sizeof(ctypes.c_void_p) + 4 * 4 + 4 * ctypes.sizeof(ctypes.c_size_t)
                                  - ctypes.sizeof(ctypes.c_void_p) - 2 * ctypes.sizeof(ctypes.c_size_t))),
        ("pad", ctypes.c_uint32 * 4),
        ("private_memory", ctypes.c_void_p),
    ]  # fmt: skip


class _Options(ctypes.Structure):
    _fields_: ClassVar = [
        *((name, ctypes.c_int) for name in ("bypass_filtering", "no_fancy_upsampling", "use_cropping")),
        *((name, ctypes.c_int) for name in ("crop_left", "crop_top", "crop_width", "crop_height")),
        *((name, ctypes.c_int) for name in ("use_scaling", "scaled_width", "scaled_height", "use_threads")),
        *((name, ctypes.c_int) for name in ("dithering_strength", "flip", "alpha_dithering_strength")),
        ("pad", ctypes.c_uint32 * 5),
    ]


class _Config(ctypes.Structure):
    _fields_: ClassVar = [("input", _Features), ("output", _Buffer), ("options", _Options)]


@functools.cache
def libwebp() -> ctypes.CDLL | None:
    """The library that Pillow decodes with; None where its plain decoder cannot be reached."""
    module = getattr(WebPImagePlugin, "_webp", None)
    try:
        library = ctypes.CDLL(module.__file__ if module else None)
        library.WebPInitDecoderConfigInternal.argtypes = [ctypes.POINTER(_Config), ctypes.c_int]
        library.WebPGetInfo.argtypes = [ctypes.c_char_p, ctypes.c_size_t, *[ctypes.POINTER(ctypes.c_int)] * 2]
        library.WebPDecode.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.POINTER(_Config)]
    except (OSError, AttributeError, TypeError):
        return None
    known = library.WebPInitDecoderConfigInternal(ctypes.byref(_Config()), _ABI)  # else it has other structures
    return library if known else None


def starved(data: bytes) -> tuple[int, int] | None:
    """The size of a WebP that Pillow failed to decode for lack of memory; None for other failures."""
    library = libwebp()
    width, height = ctypes.c_int(), ctypes.c_int()
    if library is None or not library.WebPGetInfo(data, len(data), ctypes.byref(width), ctypes.byref(height)):
        return None
    try:
        np.empty(8 * width.value * height.value, np.uint8)
    except MemoryError:
        return width.value, height.value
    return None


def first_frame(data: bytes, size: tuple[int, int]) -> bytes | None:
    """The first frame of an animation as a still WebP, if it fills the canvas of that size (width, height)."""
    frame = _chunk(data, b"ANMF")
    left, upper, across, down = (int.from_bytes(frame[place : place + 3], "little") for place in (0, 3, 6, 9))
    if (left, upper) != (0, 0) or (across + 1, down + 1) != size:
        return None
    chunks = frame[16:]
    if chunks.startswith(b"ALPH"):  # which only the extended form of a file may hold
        alpha, edges = b"\x10\0\0\0", frame[6:12]
        chunks = b"VP8X" + (10).to_bytes(4, "little") + alpha + edges + chunks
    return b"RIFF" + (4 + len(chunks)).to_bytes(4, "little") + b"WEBP" + chunks


def _chunk(data: bytes, name: bytes) -> bytes:
    """What the first chunk of that name holds; nothing where there is none."""
    at = 12
    while at + 8 <= len(data):
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        if data[at : at + 4] == name:
            return data[at + 8 : at + 8 + length]
        at += 8 + length + length % 2
    return b""


class Bands:
    """Crops of a still WebP, read from bands that are kept one at a time.

    Args:
        library: libwebp.
        data: the file.
        size: (width, height) of its picture.
        upended: the crops go from left to right, as for a picture on its side, and not from top to bottom.
    """

    def __init__(self, library: ctypes.CDLL, data: bytes, size: tuple[int, int], *, upended: bool = False) -> None:
        self._library, self._data, self._size = library, data, size
        self._axis = 0 if upended else 1  # of a point (x, y): the one that bands are cut along
        self._thick = max(2, _BAND // size[1 - self._axis] // 2 * 2)  # libwebp cuts at even places
        if _chunk(data, b"ALPH"):  # libwebp 1.6 gives wrong transparency where such pictures are cut
            self._thick = size[self._axis]
        self._place = -1
        self._band = np.empty((0, 0, 4), np.uint8)

    def crop(self, box: Box) -> Image.Image:
        """A part of it, RGBA.

        Raises:
            PictureError: the file is truncated or damaged.
            MemoryError: there is not enough.
        """
        left, upper, right, lower = box
        part = np.empty((lower - upper, right - left, 4), np.uint8)
        at, end = box[self._axis], box[self._axis + 2]
        while at < end:
            self._read(at)
            stop = min(end, self._place + self._band.shape[1 - self._axis])
            here, there = (
                slice(at - box[self._axis], stop - box[self._axis]),
                slice(at - self._place, stop - self._place),
            )
            if self._axis:
                part[here] = self._band[there, left:right]
            else:
                part[:, here] = self._band[upper:lower, there]
            at = stop
        return Image.fromarray(part)

    def _read(self, at: int) -> None:
        """Read the band that contains a row or a column, and keep it."""
        place = at // self._thick * self._thick
        if place == self._place:
            return
        self._place, self._band = -1, np.empty((0, 0, 4), np.uint8)  # free it before the next one is made
        corner, extent = [0, 0], [*self._size]
        first, last = max(0, place - _MARGIN), min(self._size[self._axis], place + self._thick + _MARGIN)
        corner[self._axis], extent[self._axis] = first, last - first
        band = np.empty((extent[1], extent[0], 4), np.uint8)
        config = _Config()
        self._library.WebPInitDecoderConfigInternal(ctypes.byref(config), _ABI)
        options, output = config.options, config.output
        options.use_cropping, (options.crop_left, options.crop_top) = 1, corner
        options.crop_width, options.crop_height = extent
        output.colorspace, output.is_external_memory = _RGBA, 1
        output.rgba, output.stride, output.size = band.ctypes.data, band.strides[0], band.nbytes
        status = self._library.WebPDecode(self._data, len(self._data), ctypes.byref(config))
        if status == _OUT_OF_MEMORY:
            raise MemoryError
        if status in _CUT:
            raise PictureError("is truncated", kind="truncated", fault="P07")
        if status:
            raise PictureError(f"is damaged (libwebp's status {status})", kind="damaged", fault="P07")
        inner = slice(place - first, place - first + self._thick)
        self._place, self._band = place, band[inner] if self._axis else band[:, inner]
