"""The mean picture: a BlobProto of 1 x C x H x W, as `compute_image_mean` writes it."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
from google.protobuf.message import DecodeError
from numpy.typing import NDArray

from workflow.errors import ModelError
from workflow.formats import caffe_pb2
from workflow.formats.blobproto import Array, from_array, shape_of, to_array
from workflow.formats.files import read_whole
from workflow.formats.foreign import refuse_foreign, refuse_message
from workflow.storage import atomic_write
from workflow.words import counted

_HINT = "copy it again from where it was made: compute_image_mean or wf prepare"
_WANTED = "a mean is a binaryproto; --mean also takes .npy, .npz and numbers"


def read_mean(path: Path) -> Array:
    """The mean picture, float32 (C, H, W), in the channel order of the records that it was made of.

    An all-zero mean gives a warning: subtracting it changes nothing.

    Raises:
        ModelError: M01 missing, empty, damaged or not 1 x C x H x W; M03 NaN or infinite values.
    """
    path = Path(path)
    data = read_whole(path, error=ModelError, fault="M01")
    if not data:
        raise ModelError(f"{path} is empty", hint=_HINT, fault="M01")
    refuse_foreign(path, data, hint=_WANTED, fault="M01")
    try:
        blob = caffe_pb2.BlobProto.FromString(data)
        shape = shape_of(blob)
        array = to_array(blob)
    except DecodeError:
        refuse_message(path, data, caffe_pb2.BlobProto, hint=_WANTED, fault="M01")
        raise ModelError(f"{path} is truncated or damaged", hint=_HINT, fault="M01") from None
    except ModelError as error:
        refuse_message(path, data, caffe_pb2.BlobProto, hint=_WANTED, fault="M01")
        raise ModelError(f"{path}: {error.message}", hint=_HINT, fault="M01") from None
    if len(shape) != 4 or shape[0] != 1 or not array.size:
        refuse_message(path, data, caffe_pb2.BlobProto, hint=_WANTED, fault="M01")
        # Caffe takes the channels from axis 1, so that it refuses a mean of three axes, too.
        raise ModelError(f"{path} has shape {shape}, expected (1, channels, height, width)", hint=_HINT, fault="M01")
    check_values(path, array)
    picture: Array = array[0]
    return picture


def write_mean(path: Path, array: NDArray[np.floating]) -> None:
    """Replace `path` by the mean picture (C, H, W), with the legacy fields that every Caffe reads.

    Raises:
        ValueError: not three axes, or no values.
        ModelError: M03 NaN or infinite values.
        OSError: as the operating system says it.
    """
    if array.ndim != 3 or not array.size:
        raise ValueError(f"a mean picture has shape (channels, height, width), got {array.shape}")
    check_values(Path(path), array.astype(np.float32))
    atomic_write(Path(path), from_array(array, legacy=True).SerializeToString())


def check_values(path: Path, array: Array) -> None:
    """Check the values of a mean of any shape; warns of an all-zero mean.

    Raises:
        ModelError: M03 NaN or infinite values.
    """
    bad = int(array.size - np.isfinite(array).sum())
    if bad:
        kind = "NaN" if np.isnan(array).any() else "infinite"
        raise ModelError(f"{path} has {counted(bad, f'{kind} value')}", hint=_HINT, fault="M03")
    if not array.any():
        logging.getLogger("workflow").warning("%s is all zero: subtracting it changes nothing", path)
