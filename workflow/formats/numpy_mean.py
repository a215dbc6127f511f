"""A mean saved by numpy, as pycaffe users have it."""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workflow.errors import ModelError
from workflow.formats.binaryproto import check_values, read_mean
from workflow.formats.blobproto import Array
from workflow.formats.files import read_whole
from workflow.formats.foreign import is_npz
from workflow.silence import silenced

_MAX_BYTES = 2**28  # of one array: a mean of 3 x 3,000 x 3,000 doubles fits
_HINT = "numpy.save('mean.npy', mean), with the axes channels, height, width"
# RuntimeError: members of a zip archive that are encrypted, or compressed in a way that Python does not know
_DAMAGE = (ValueError, EOFError, OSError, MemoryError, OverflowError, RuntimeError, zipfile.BadZipFile, zlib.error)


def read_any_mean(path: Path) -> Array:
    """Read a mean from a binaryproto, a .npy, or a .npz with one array, recognised by content.

    Arrays of any real type are taken: (C, H, W), (1, C, H, W), (H, W) for one channel, and (C,) or (C, 1, 1) for one
    number a channel.

    Returns:
        float32 (C, H, W), or (C, 1, 1) for one number a channel; channels in the order in which they are stored.

    Raises:
        ModelError: M01 missing, empty, damaged, of another kind or shape; M03 NaN or infinite values.
    """
    path = Path(path)
    data = read_whole(path, error=ModelError, fault="M01")
    if data.startswith(b"\x93NUMPY"):
        stored = _load(path, data)
    elif is_npz(data):
        stored = _only_array(path, data)
    else:
        return read_mean(path)
    mean = _picture(path, stored)
    check_values(path, mean)
    return mean


def _only_array(path: Path, data: bytes) -> NDArray[np.generic]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = archive.infolist()
        if len(members) > 1:
            names = ", ".join(member.filename.removesuffix(".npy") for member in members)
            raise ModelError(
                f"{path} holds {len(members)} arrays ({names}), expected one: the mean", hint=_HINT, fault="M01"
            )
        if members[0].file_size > _MAX_BYTES:
            raise _too_large(path, members[0].file_size)
        try:
            content = archive.read(members[0])
        except _DAMAGE:
            raise ModelError(f"{path} is truncated or damaged", hint=_HINT, fault="M01") from None
    return _load(path, content)


def _load(path: Path, data: bytes) -> NDArray[np.generic]:
    if len(data) > _MAX_BYTES:
        raise _too_large(path, len(data))
    try:
        with silenced():  # of headers that Python 2 wrote, which can be read
            array: NDArray[np.generic] = np.load(io.BytesIO(data), allow_pickle=False)
    except Exception as error:  # numpy parses the header as Python source: damage raises many kinds of errors
        if "allow_pickle" in str(error):
            raise ModelError(
                f"{path} holds Python objects, which wf does not open (a pickle can run code)", hint=_HINT, fault="C04"
            ) from None
        raise ModelError(f"{path} is truncated or damaged", hint=_HINT, fault="M01") from None
    return array


def _picture(path: Path, stored: NDArray[np.generic]) -> Array:
    shape = stored.shape
    if stored.dtype.kind not in "biuf":
        raise ModelError(f"{path} holds {stored.dtype} values, expected numbers", hint=_HINT, fault="M01")
    with np.errstate(over="ignore"):
        mean: Array = np.ascontiguousarray(stored, np.float32)
    if mean.ndim == 4 and shape[0] == 1:
        mean = mean[0]
    elif mean.ndim == 2:
        mean = mean[None]  # one channel
    elif mean.ndim == 1:
        mean = mean[:, None, None]
    if mean.ndim == 3 and mean.shape[-1] in (1, 3) and mean.shape[0] not in (1, 3):
        hint = "channels come first: numpy.save('mean.npy', mean.transpose(2, 0, 1))"
        raise ModelError(f"{path} has shape {shape}, expected (channels, height, width)", hint=hint, fault="M01")
    if mean.ndim != 3 or not mean.size:
        raise ModelError(f"{path} has shape {shape}, expected (channels, height, width)", hint=_HINT, fault="M01")
    return mean


def _too_large(path: Path, size: int) -> ModelError:
    return ModelError(f"{path} holds an array of {size} bytes, expected {_MAX_BYTES} at most", hint=_HINT, fault="M01")
