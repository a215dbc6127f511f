"""The file that a part's result is in: arrays one after the other, then a JSON of facts, then that JSON's length."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import numpy as np
from numpy.typing import NDArray

_LENGTH = struct.Struct("<Q")


def write_result(out: BinaryIO, facts: Any, arrays: Mapping[str, NDArray[np.generic]]) -> None:
    """Write the arrays in their order, the first at the start of the file, and facts that JSON can hold.

    Raises:
        OSError: as the operating system says it.
    """
    entries = []
    for name, array in arrays.items():
        out.write(np.ascontiguousarray(array).data if array.size else b"")
        entries.append((name, array.dtype.str, array.shape))
    index = msgspec.json.encode({"facts": facts, "arrays": entries})
    out.write(index + _LENGTH.pack(len(index)))


def read_result(path: Path, *, without: str = "") -> tuple[Any, dict[str, NDArray[Any]]]:
    """The facts and the arrays of a result, but for the array of the name `without`.

    Raises:
        OSError: as the operating system says it.
        ValueError: the file is cut.
    """
    arrays = {}
    with path.open("rb") as file:
        file.seek(-_LENGTH.size, 2)
        length = _LENGTH.unpack(file.read())[0]
        file.seek(-_LENGTH.size - length, 2)
        index = msgspec.json.decode(file.read(length))
        start = 0
        for name, kind, shape in index["arrays"]:
            dtype, size = np.dtype(kind), math.prod(shape)
            if name != without:
                file.seek(start)
                arrays[name] = np.fromfile(file, dtype, size).reshape(shape)
            start += size * dtype.itemsize
    return index["facts"], arrays
