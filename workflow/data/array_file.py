"""npz files of large arrays, which are never in memory as a whole; `np.load` reads them, too."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import ZipFile, ZipInfo

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

_BLOCK = 2**20  # bytes
_HEADER = 30  # bytes of a member's header before its name; APPNOTE.TXT of PKWARE, section 4.3.7


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write some arrays of at least one axis, in C order.

    Raises:
        OSError: as the operating system says it.
    """
    with ZipFile(path, "w") as file:
        for name, array in arrays.items():
            with file.open(f"{name}.npy", "w", force_zip64=True) as out:
                npy.write_array_header_1_0(out, npy.header_data_from_array_1_0(array))
                rows = max(1, _BLOCK // max(1, array[:1].nbytes))
                for start in range(0, len(array), rows):
                    out.write(array[start : start + rows].tobytes())


def map_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays that `write_arrays` wrote, read-only, as parts of the file that are read when they are needed.

    Raises:
        ValueError, BadZipFile, OSError: the file is damaged, or another one.
    """
    with ZipFile(path) as file:
        if (damaged := file.testzip()) is not None:
            raise ValueError(f"{damaged} in {path} is damaged")
        return {info.filename.removesuffix(".npy"): _mapped(path, info) for info in file.infolist()}


def _mapped(path: Path, info: ZipInfo) -> NDArray[Any]:
    another = ValueError(f"{info.filename} in {path} was written by another program")
    if info.compress_type:
        raise another
    with path.open("rb") as file:
        file.seek(info.header_offset)
        header = file.read(_HEADER)
        lengths = int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
        file.seek(info.header_offset + _HEADER + lengths)
        if npy.read_magic(file) != (1, 0):
            raise another
        shape, fortran, dtype = npy.read_array_header_1_0(file)
        if fortran or dtype.hasobject:
            raise another
        return (
            np.memmap(file, dtype, "r", file.tell(), shape).view(np.ndarray) if all(shape) else np.empty(shape, dtype)
        )
