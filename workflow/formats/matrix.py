"""An array in a file: a BlobProto, as InfogainLoss reads its matrix."""

from __future__ import annotations

from pathlib import Path

from google.protobuf.message import DecodeError

from workflow.errors import ModelError
from workflow.formats import caffe_pb2
from workflow.formats.blobproto import Array, from_array, to_array
from workflow.formats.files import read_whole
from workflow.formats.foreign import refuse_foreign, refuse_message
from workflow.storage import atomic_write

_HINT = "a BlobProto, written for instance by pycaffe's io.array_to_blobproto(...).SerializeToString()"


def read_matrix(path: Path) -> Array:
    """The numbers of a binaryproto, float32, in the shape that it says.

    Raises:
        ModelError: missing, empty or damaged.
    """
    path = Path(path)
    data = read_whole(path, error=ModelError, hint=_HINT, fault="M01")
    if not data:
        raise ModelError(f"{path} is empty", hint=_HINT, fault="M01")
    refuse_foreign(path, data, hint=_HINT, fault="M01")
    try:
        return to_array(caffe_pb2.BlobProto.FromString(data))
    except DecodeError:
        refuse_message(path, data, caffe_pb2.BlobProto, hint=_HINT, fault="M01")
        raise ModelError(f"{path} is truncated or damaged", hint=_HINT, fault="M01") from None
    except ModelError as error:
        refuse_message(path, data, caffe_pb2.BlobProto, hint=_HINT, fault="M01")
        raise ModelError(f"{path}: {error.message}", hint=_HINT, fault="M01") from None


def write_matrix(path: Path, array: Array) -> None:
    """Replace `path` by the numbers, float32, as `read_matrix` reads them.

    Raises:
        OSError: as the operating system says it.
    """
    atomic_write(path, from_array(array).SerializeToString())
