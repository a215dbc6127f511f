"""Large arrays that need not be in memory."""

from __future__ import annotations

import math
import os
import tempfile
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T", bound=np.generic)


def mapped(folder: Path, dtype: np.dtype[T], shape: tuple[int, ...]) -> NDArray[T]:
    """Zeros in a file of a folder that has no name there and is gone with the array; at least one value.

    Its pages are in the page cache: the system may write them to the disk and use their memory.

    Raises:
        OSError: the disk is full.
    """
    with tempfile.TemporaryFile(dir=folder) as file:
        # a full disk kills who writes to mapped memory
        os.posix_fallocate(file.fileno(), 0, math.prod(shape) * dtype.itemsize)
        return np.memmap(file, dtype, "r+", shape=shape).view(np.ndarray)  # whose rows are taken five times as fast
