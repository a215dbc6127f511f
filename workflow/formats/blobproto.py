"""BlobProto <-> numpy: the arrays inside models, states and means."""

from __future__ import annotations

import math

import numpy as np
from google.protobuf.unknown_fields import UnknownFieldSet
from numpy.typing import NDArray

from workflow.errors import ModelError
from workflow.formats import caffe_pb2

Array = NDArray[np.float32]

_RAW_TYPES: dict[str, np.dtype[np.floating]] = {
    "DOUBLE": np.dtype("<f8"),
    "FLOAT": np.dtype("<f4"),
    "FLOAT16": np.dtype("<f2"),
}
_PACKED = 2  # protobuf's wire type of bytes
_LEGACY = ("num", "channels", "height", "width")


def shape_of(blob: caffe_pb2.BlobProto) -> tuple[int, ...]:
    """The shape that Caffe gives the blob.

    Any one of the old four fields makes it 4-D and hides `shape`; with neither it is a scalar, shape ().
    """
    if is_legacy(blob):
        return blob.num, blob.channels, blob.height, blob.width
    return tuple(blob.shape.dim)


def is_legacy(blob: caffe_pb2.BlobProto) -> bool:
    """Whether the blob has the four dimensions of files from before 2015."""
    return any(blob.HasField(name) for name in _LEGACY)


def check(blob: caffe_pb2.BlobProto) -> None:
    """Check that the values fill the shape.

    Raises:
        ModelError: they do not, or a dimension is negative.
    """
    shape = shape_of(blob)
    count = len(blob.double_data) or len(blob.data)
    if min(shape, default=0) < 0 or count != math.prod(shape):
        raise ModelError(f"a blob of shape {shape} holds {count} values, expected {math.prod(shape)}")


def to_array(blob: caffe_pb2.BlobProto) -> Array:
    """The values as a new float32 array of `shape_of(blob)`; `double_data` wins over `data`, as in Caffe.

    Raises:
        ModelError: the number of values does not fit the shape.
    """
    check(blob)
    values = blob.double_data or blob.data
    with np.errstate(over="ignore"):  # a double beyond float32 becomes inf, as a cast in C++ does
        return np.array(values, dtype=np.float32).reshape(shape_of(blob))


def widen(blob: caffe_pb2.BlobProto) -> None:
    """Turn values that a fork stored as half floats, or as raw bytes, into `data` that every Caffe reads, in place.

    NVIDIA's fork has `raw_data`, little-endian numbers of `raw_data_type`; others have packed integers, the bits of a
    half float each, in field 10, and gradients in field 11. Where `data` or `double_data` is there too, it counts.

    Raises:
        ModelError: raw values of a type that is no real number, or that do not fill their bytes.
    """
    unknown = UnknownFieldSet(blob)
    fields = [unknown[index] for index in range(len(unknown))]
    packed: dict[int, bytes] = {field.field_number: field.data for field in fields if field.wire_type == _PACKED}
    for name, tag, half in (("data", _DATA, 10), ("diff", _DIFF, 11)):
        raw: bytes = getattr(blob, f"raw_{name}")
        plain = len(getattr(blob, name)) or len(getattr(blob, f"double_{name}"))
        if raw and not plain:
            _fill(blob, tag, _real(raw, getattr(blob, f"raw_{name}_type")))
        elif half in packed and not plain:
            _fill(blob, tag, _halves(packed[half]))
        blob.ClearField(f"raw_{name}")
        blob.ClearField(f"raw_{name}_type")
    if packed:
        blob.DiscardUnknownFields()


def _real(raw: bytes, kind: caffe_pb2.BlobProto.RawType) -> NDArray[np.floating]:
    name = caffe_pb2.BlobProto.RawType.Name(kind)
    if name not in _RAW_TYPES or len(raw) % _RAW_TYPES[name].itemsize:
        raise ModelError(f"{len(raw)} bytes of raw type {name}, expected whole numbers of {', '.join(_RAW_TYPES)}")
    values: NDArray[np.floating] = np.frombuffer(raw, _RAW_TYPES[name])
    return values


def _halves(packed: bytes) -> NDArray[np.floating]:
    """Varints of at most 16 bits, each the bits of a half float."""
    octets = np.frombuffer(packed, np.uint8)
    ends = np.flatnonzero(octets < 0x80)  # the last octet of each number has no high bit
    starts = np.concatenate([[0], ends + 1])[:-1]
    lengths = ends - starts + 1
    whole = len(ends) > 0 and ends[-1] == len(octets) - 1 and lengths.max() <= 3
    bits = np.zeros(len(ends), np.uint32)
    if whole:
        padded = np.concatenate([octets, np.zeros(2, np.uint8)]).astype(np.uint32)
        for i in range(3):  # 7 bits an octet, low ones first
            bits |= np.where(lengths > i, (padded[starts + i] & 0x7F) << (7 * i), 0).astype(np.uint32)
    if not whole or bits.max() > 0xFFFF:
        raise ModelError("half floats that are not packed 16-bit integers")
    halves: NDArray[np.floating] = bits.astype(np.uint16).view(np.float16)
    return halves


def diff_to_array(blob: caffe_pb2.BlobProto) -> Array | None:
    """The stored gradient, or None where there is none.

    Raises:
        ModelError: the number of values does not fit the shape.
    """
    values = blob.double_diff or blob.diff
    if not values:
        return None
    shape = shape_of(blob)
    if len(values) != math.prod(shape):
        raise ModelError(f"a blob of shape {shape} holds {len(values)} differences, expected {math.prod(shape)}")
    with np.errstate(over="ignore"):
        return np.array(values, dtype=np.float32).reshape(shape)


def from_array(
    array: NDArray[np.floating], *, legacy: bool = False, diff: NDArray[np.floating] | None = None
) -> caffe_pb2.BlobProto:
    """A blob of any shape, as Caffe writes it: `shape` and `data`, no `shape` at all for a scalar.

    Args:
        array: the values; stored as float32.
        legacy: write num, channels, height, width instead; the array has at most 4 axes, ones go in front.
        diff: the gradient, of the same shape, for `snapshot_diff`.

    Raises:
        ValueError: more than 4 axes for a legacy blob, or a diff of another shape.
    """
    blob = caffe_pb2.BlobProto()
    if legacy:
        if array.ndim > 4:
            raise ValueError(f"a legacy blob has at most 4 axes, got shape {array.shape}")
        padded = (1,) * (4 - array.ndim) + array.shape
        blob.num, blob.channels, blob.height, blob.width = padded
    elif array.ndim:
        blob.shape.dim.extend(array.shape)
    _fill(blob, _DATA, array)
    if diff is not None:
        if diff.shape != array.shape:
            raise ValueError(f"diff has shape {diff.shape}, data {array.shape}")
        _fill(blob, _DIFF, diff)
    return blob


def matches(file_blob: caffe_pb2.BlobProto, target_shape: tuple[int, ...]) -> bool:
    """Whether Caffe would copy the blob into a parameter of that shape.

    A legacy blob fits any target of at most 4 axes that equals it with ones put in front: a weight (M, N) is
    stored as 1,1,M,N. A blob with `shape` must be equal.
    """
    shape = shape_of(file_blob)
    if not is_legacy(file_blob):
        return shape == tuple(target_shape)
    return len(target_shape) <= 4 and shape == (1,) * (4 - len(target_shape)) + tuple(target_shape)


# ---- the wire, because appending a million floats one by one takes 70 times as long -----------------------------

_DATA = b"\x2a"  # field 5, length-delimited
_DIFF = b"\x32"  # field 6


def _fill(blob: caffe_pb2.BlobProto, tag: bytes, array: NDArray[np.floating]) -> None:
    with np.errstate(over="ignore"):
        raw = array.astype("<f4", order="C").tobytes()
    if raw:
        blob.MergeFromString(tag + varint(len(raw)) + raw)


def varint(number: int) -> bytes:
    """Protobuf's encoding of an integer: 7 bits a byte, low ones first; negative ones as 64-bit two's complement."""
    number &= 2**64 - 1
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)
