"""HDF5 files of named arrays, as HDF5Data layers read and HDF5Output layers write them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workflow.errors import DatabaseError
from workflow.storage import replacing

Array = NDArray[np.float32]
MOST_BYTES = 2**34
_DAMAGE = (OSError, KeyError, ValueError, TypeError, RuntimeError, AttributeError, OverflowError, MemoryError)


def shapes(path: Path, names: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """The shapes of datasets of numbers, read without the numbers.

    Raises:
        DatabaseError: the file is missing or damaged, or has no such datasets of whole or real numbers.
    """
    with _opened(path) as file:
        return {name: tuple(_dataset(file, name, path).shape) for name in names}


def read(path: Path, names: Sequence[str]) -> dict[str, Array]:
    """Datasets of whole or real numbers, as float32.

    Raises:
        DatabaseError: as `shapes`.
    """
    with _opened(path) as file:
        return {name: np.array(_dataset(file, name, path)[()], dtype=np.float32) for name in names}


def write(path: Path, arrays: Mapping[str, Array]) -> None:
    """Replace `path` by a file of these arrays.

    Raises:
        OSError: as the operating system says it.
    """
    import h5py  # 100 ms, and few nets need it

    with replacing(path) as temporary, h5py.File(temporary, "w") as file:
        for name, array in arrays.items():
            file.create_dataset(name, data=array)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    import h5py

    if not path.is_file():
        raise DatabaseError(f"{path} does not exist", hint="paths in the list are relative to the project folder")
    try:
        with h5py.File(path, "r") as file:
            yield file
    except DatabaseError:
        raise
    except _DAMAGE as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DatabaseError(f"{path} is damaged or not an HDF5 file: {reason}") from error


def _dataset(file: Any, name: str, path: Path) -> Any:
    """A dataset of numbers with at least one axis, stored in this file itself."""
    import h5py

    # soft and external links could name any other file
    here = isinstance(file.get(name, getlink=True), h5py.HardLink)
    dataset = file[name] if here else None
    if not isinstance(dataset, h5py.Dataset):
        known = ", ".join(sorted(map(str, file)))
        raise DatabaseError(f"{path} has no dataset '{name}'; it has: {known}", hint="datasets are named like the tops")
    if dataset.dtype.kind not in "fiu" or not dataset.shape:
        raise DatabaseError(f"{path}: '{name}' is {dataset.dtype} of shape {dataset.shape}, expected rows of numbers")
    if dataset.nbytes > MOST_BYTES or dataset.external or dataset.is_virtual:
        raise DatabaseError(f"{path}: '{name}' claims {dataset.nbytes} bytes, or lies in other files")
    return dataset
