"""Datum: one picture and its label, the value of a database record.

Raw records hold uint8 pixels, planar (channels, height, width); encoded ones hold a JPEG or PNG file; those of
`extract_features` hold floats. Reading a record is on the path of every training batch: 3 microseconds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

import numpy as np
from google.protobuf.message import DecodeError
from numpy.typing import NDArray

from workflow.errors import DatabaseError
from workflow.formats import caffe_pb2
from workflow.formats.blobproto import varint
from workflow.formats.mending import FOREIGN

Pixels = NDArray[np.uint8] | NDArray[np.float32]
Force = Literal["color", "gray"] | None


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
        raise _bad(key, "is not a Datum, or is truncated") from None
    if datum.encoded:
        from workflow.formats.encoded import decode_picture  # Pillow, which raw records do not need

        try:
            return decode_picture(datum.data, force), datum.label
        except ValueError as error:
            raise _bad(key, f"contains a picture that {error}") from None
    shape = datum.channels, datum.height, datum.width
    data = datum.data
    pixels: Pixels = np.frombuffer(data, np.uint8) if data else np.array(datum.float_data, np.float32)
    if min(shape) < 1 or pixels.size != shape[0] * shape[1] * shape[2]:
        raise _bad(key, f"holds {pixels.size} values, its shape is {shape}")
    return pixels.reshape(shape), datum.label


def decode_all(
    values: Sequence[bytes], *, keys: Sequence[bytes] = (), force: Force = None
) -> tuple[Pixels, NDArray[np.int32]]:
    """The pictures of a batch, (N, channels, height, width), and their labels, int32 (N,).

    Five times as fast as one by one where all are raw, of one size, and with labels below 128.

    Args:
        values: the records, at least one.
        keys: of the records, for error messages.
        force: as `decode`.

    Raises:
        DatabaseError: L05 as `decode`, or pictures of different shapes or types.
    """
    names = keys or [b""] * len(values)
    batch = _decode_uniform(values, names[0], force)
    if batch is not None:
        return batch
    decoded = [decode(value, key=key, force=force) for value, key in zip(values, names, strict=True)]
    first = decoded[0][0]
    for (pixels, _), key in zip(decoded, names, strict=True):
        if pixels.shape != first.shape or pixels.dtype != first.dtype:
            raise _bad(key, f"is {pixels.dtype} {pixels.shape}, the first one {first.dtype} {first.shape}")
    batch_pixels: Pixels = np.stack([pixels for pixels, _ in decoded])  # type: ignore[assignment]  # one type, see above
    return batch_pixels, np.array([label for _, label in decoded], np.int32)


def _decode_uniform(
    values: Sequence[bytes], key: bytes, force: Force
) -> tuple[NDArray[np.uint8], NDArray[np.int32]] | None:
    """All records as rows of one array if `encode` could have made them; None otherwise."""
    first = values[0]
    pixels, label = decode(first, key=key, force=force)
    shape = pixels.shape
    head = _head(*shape)
    start, stop = len(head), len(head) + pixels.size
    if pixels.dtype != np.uint8 or len(first) != stop + 4 or set(map(len, values)) != {len(first)}:
        return None
    rows = np.frombuffer(b"".join(values), np.uint8).reshape(len(values), len(first))
    tails = rows[:, stop:]
    expected = np.frombuffer(head + _tail(0), np.uint8)
    labels = tails[:, 1].astype(np.int32)
    if not (
        (rows[:, :start] == expected[:start]).all()
        and (tails[:, [0, 2, 3]] == expected[start:][[0, 2, 3]]).all()
        and labels.max() < 128
        and label == labels[0]
    ):
        return None
    return rows[:, start:stop].reshape(len(values), *shape), labels


class Raw:
    """Records that `encode` makes of pictures of one shape, taken apart by their lengths alone.

    Args:
        shape: (channels, height, width).
    """

    def __init__(self, shape: tuple[int, int, int]) -> None:
        self._head = _head(*shape)
        self._start, self._stop = len(self._head), len(self._head) + math.prod(shape)

    def encode(self, pixels: bytes, label: int) -> bytes:
        """The record of a picture, uint8."""
        return self._head + pixels + _tail(label)

    def pixels(self, value: bytes) -> bytes:
        """The picture of a record."""
        return value[self._start : self._stop]

    def relabelled(self, value: bytes, label: int) -> bytes:
        """A record under a label: itself if it has that label."""
        tail = _tail(label)
        return value if value[self._stop :] == tail else value[: self._stop] + tail


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
    return DatabaseError(f"record {name} {what}" if name else f"a record {what}", hint=FOREIGN, fault="L05")
