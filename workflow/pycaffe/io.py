"""Pictures as arrays, and arrays as Caffe's messages: `caffe.io`.

Source of the behaviour: python/caffe/io.py of BVLC Caffe.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from workflow.config import MAX_PIXELS
from workflow.data.pictures import named
from workflow.data.sniff import ACCEPTED, accepted, sniff
from workflow.errors import DataError
from workflow.formats import caffe_pb2
from workflow.pycaffe.refusals import PictureMissing, PictureUnreadable
from workflow.pycaffe.resizing import resize_image
from workflow.pycaffe.transformer import Transformer

__all__ = [
    "Transformer",
    "array_to_blobproto",
    "array_to_datum",
    "arraylist_to_blobprotovector_str",
    "blobproto_to_array",
    "blobprotovector_str_to_arraylist",
    "caffe_pb2",
    "datum_to_array",
    "load_image",
    "oversample",
    "resize_image",
]

Array = NDArray[np.float32]
_FORMATS = (*ACCEPTED, "PPM", "TIFF")  # the last two are what old sets of faces and of satellite pictures come in
_GREY = np.array([0.2125, 0.7154, 0.0721])  # scikit-image's weights of red, green and blue


# ---- messages -------------------------------------------------------------------------------------------------


def blobproto_to_array(blob: caffe_pb2.BlobProto, return_diff: bool = False) -> NDArray[Any]:
    """The data of a blob, or its diff, in its shape; the four legacy dimensions if it has any of them."""
    values = np.array(blob.diff if return_diff else blob.data, dtype=float)
    if any(blob.HasField(name) for name in ("num", "channels", "height", "width")):
        return values.reshape(blob.num, blob.channels, blob.height, blob.width)
    return values.reshape(tuple(blob.shape.dim))


def array_to_blobproto(arr: NDArray[Any], diff: NDArray[Any] | None = None) -> caffe_pb2.BlobProto:
    """A blob of any shape, stored as float32, with a diff on demand."""
    blob = caffe_pb2.BlobProto(shape=caffe_pb2.BlobShape(dim=arr.shape))
    blob.data.extend(arr.astype(float).ravel())
    if diff is not None:
        blob.diff.extend(diff.astype(float).ravel())
    return blob


def arraylist_to_blobprotovector_str(arraylist: Iterable[NDArray[Any]]) -> bytes:
    """The bytes of a BlobProtoVector."""
    vector = caffe_pb2.BlobProtoVector(blobs=[array_to_blobproto(one) for one in arraylist])
    return vector.SerializeToString()


def blobprotovector_str_to_arraylist(str: bytes) -> list[NDArray[Any]]:
    """The arrays of a BlobProtoVector's bytes."""
    return [blobproto_to_array(blob) for blob in caffe_pb2.BlobProtoVector.FromString(str).blobs]


def array_to_datum(arr: NDArray[Any], label: int | None = None) -> caffe_pb2.Datum:
    """A record of a picture (C, H, W): uint8 as bytes, everything else as floats.

    Raises:
        ValueError: not three axes.
    """
    if arr.ndim != 3:
        raise ValueError(f"Incorrect array shape: {arr.shape}, expected (channels, height, width)")
    channels, height, width = arr.shape
    datum = caffe_pb2.Datum(channels=channels, height=height, width=width)
    if arr.dtype == np.uint8:
        datum.data = arr.tobytes()
    else:
        datum.float_data.extend(arr.astype(float).ravel())
    if label is not None:
        datum.label = label
    return datum


def datum_to_array(datum: caffe_pb2.Datum) -> NDArray[Any]:
    """The picture of a raw record, (C, H, W): uint8, or float64 where it holds floats."""
    shape = datum.channels, datum.height, datum.width
    if datum.data:
        return np.frombuffer(datum.data, np.uint8).reshape(shape).copy()
    return np.array(datum.float_data, dtype=float).reshape(shape)


# ---- pictures -------------------------------------------------------------------------------------------------


def load_image(filename: str | PathLike[str], color: bool = True) -> Array:
    """Read a picture as it is stored: neither turned by its EXIF data nor resized; transparency is dropped.

    Returns:
        float32 0..1, (H, W, 3) in RGB, or (H, W, 1) with `color=False`.

    Raises:
        PictureUnreadable: it is not there, is no picture, or is damaged (an OSError too).
    """
    try:
        with named(str(filename)) as data:
            pixels = _unit(_opened(str(filename), data))
    except DataError as error:
        refusal = PictureUnreadable if Path(filename).exists() else PictureMissing
        raise refusal(error.message, at=error.at, hint=error.hint, fault=error.fault) from error
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise PictureUnreadable(f"{filename} is damaged ({error})", fault="P07") from error
    if pixels.ndim == 2:
        pixels = pixels[:, :, np.newaxis]
        return np.tile(pixels, (1, 1, 3)) if color else pixels
    if not color:
        grey: Array = (pixels @ _GREY)[:, :, np.newaxis].astype(np.float32)
        return grey
    return pixels


def _opened(filename: str, data: bytes) -> Image.Image:
    try:
        more = ["AVIF"] if "AVIF" in accepted() else []
        image = Image.open(io.BytesIO(data), formats=[*_FORMATS, *more])
    except UnidentifiedImageError:
        sniff(data)  # says what a file is that is no picture
        raise
    if image.width * image.height > MAX_PIXELS:
        raise DataError(f"{filename} has {image.width}×{image.height} pixels, at most {MAX_PIXELS} are read")
    return image


def _unit(image: Image.Image) -> Array:
    """Values as a part of the largest one that the format has: (H, W) or (H, W, 3)."""
    if image.mode.startswith("I;16") or image.mode == "I":
        return (np.asarray(image).astype(np.float64) / 65535).astype(np.float32)
    if image.mode == "1":
        return np.asarray(image).astype(np.float32)
    if image.mode == "F":
        return np.asarray(image).astype(np.float32)
    wanted = "L" if image.mode in ("L", "LA") else "RGB"
    return (np.asarray(image.convert(wanted)).astype(np.float64) / 255).astype(np.float32)


def oversample(images: Sequence[NDArray[Any]], crop_dims: Sequence[int]) -> Array:
    """Ten crops of each picture: four corners, centre, and the same five mirrored.

    Args:
        images: (H, W, K) each, all of one shape.
        crop_dims: height and width of the crops, at most those of the pictures.

    Returns:
        float32 (10 N, height, width, K), the crops of a picture one after the other: upper left, upper right, lower
        left, lower right, centre, and their mirror images in this order.
    """
    rows, columns = (int(size) for size in images[0].shape[:2])
    height, width = (int(size) for size in crop_dims)
    corners = [(top, left) for top in (0, rows - height) for left in (0, columns - width)]
    corners.append((int(rows / 2 - height / 2), int(columns / 2 - width / 2)))
    crops = []
    for image in images:
        straight = [image[top : top + height, left : left + width] for top, left in corners]
        crops += [*straight, *(crop[:, ::-1] for crop in straight)]
    return np.array(crops, dtype=np.float32)
