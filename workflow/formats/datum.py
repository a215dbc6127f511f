"""Datum: one picture and its label, the value of a database record.

Raw records hold uint8 pixels, planar (channels, height, width); encoded ones hold a JPEG or PNG file; those of
`extract_features` hold floats. Reading a record is on the path of every training batch: 3 microseconds.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import numpy as np
from google.protobuf.message import DecodeError
from numpy.typing import NDArray

from workflow.errors import DatabaseError
from workflow.formats import caffe_pb2
from workflow.formats.blobproto import varint

Pixels = NDArray[np.uint8] | NDArray[np.float32]
Force = Literal["color", "gray"] | None

_HINT = "wf prepare --force writes the database anew"


def encode(array: NDArray[np.uint8], label: int) -> bytes:
    """A raw record, byte for byte as convert_imageset writes it: fields 1 to 5, and 7 = false.

    Args:
        array: uint8 (channels, height, width), in the channel order of the database.
        label: -2**31 .. 2**31-1.

    Raises:
        ValueError: another type, number of axes or range.
    """
    if array.dtype != np.uint8 or array.ndim != 3 or not array.size:
        raise ValueError(f"a Datum holds uint8 (channels, height, width), got {array.dtype} {array.shape}")
    return _head(*array.shape) + array.tobytes() + _tail(label)


def decode(value: bytes, *, key: bytes = b"", force: Force = None) -> tuple[Pixels, int]:
    """The picture of a record, (channels, height, width), and its label.

    uint8 for raw and encoded pictures (read-only for raw ones), float32 for records of floats. Encoded pictures
    come as OpenCV gives them: BGR, grey as one channel, transparent ones as BGRA; EXIF orientation is not applied.

    Args:
        value: the record.
        key: of the record, for error messages.
        force: make 3 or 1 channels of an encoded picture, `transform_param`'s force_color and force_gray.

    Raises:
        DatabaseError: L05 not a Datum, a size that does not fit, or a picture that cannot be decoded.
    """
    try:
        datum = caffe_pb2.Datum.FromString(value)
    except DecodeError:
        raise _bad(key, "is no Datum, or cut") from None
    if datum.encoded:
        from workflow.formats.encoded import decode_picture  # Pillow, which raw records do not need

        try:
            return decode_picture(datum.data, force), datum.label
        except ValueError as error:
            raise _bad(key, f"holds a picture that {error}") from None
    shape = datum.channels, datum.height, datum.width
    data = datum.data
    pixels: Pixels = np.frombuffer(data, np.uint8) if data else np.array(datum.float_data, np.float32)
    if min(shape) < 1 or pixels.size != shape[0] * shape[1] * shape[2]:
        raise _bad(key, f"holds {pixels.size} values, its shape is {shape}")
    return pixels.reshape(shape), datum.label


@lru_cache(maxsize=64)
def _head(channels: int, height: int, width: int) -> bytes:
    sizes = b"\x08" + varint(channels) + b"\x10" + varint(height) + b"\x18" + varint(width)
    return sizes + b"\x22" + varint(channels * height * width)


@lru_cache(maxsize=4096)
def _tail(label: int) -> bytes:
    if not -(2**31) <= label < 2**31:
        raise ValueError(f"a label is a 32-bit number, got {label}")
    return b"\x28" + varint(label) + b"\x38\x00"


def _bad(key: bytes, what: str) -> DatabaseError:
    name = key.decode("utf-8", "backslashreplace")
    return DatabaseError(f"record {name} {what}" if name else f"a record {what}", hint=_HINT, fault="L05")
