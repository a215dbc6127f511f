"""Batches of rows of HDF5 files: batch k holds the rows that Caffe's HDF5Data layer returns as its k-th."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from workflow.errors import DatabaseError
from workflow.formats import hdf5_arrays
from workflow.formats.files import read_whole
from workflow.formats.hdf5_arrays import Array
from workflow.formats.text import decode_names

_MOST_LIST_BYTES = 2**26


class Hdf5Rows:
    """Rows of several files, one file after the other, repeated without a boundary between rounds.

    One file is in memory at a time, as in Caffe. With `shuffle`, the files of each round and the rows of each file
    come in an order that is a function of (seed, round); rows of different files are not mixed.

    Attributes:
        shapes: of one row of each dataset, in the order of the names.
    """

    def __init__(self, source: Path, folder: Path, names: Sequence[str], *, shuffle: bool = False) -> None:
        """Open and check all files.

        Args:
            source: a text file that lists HDF5 files, separated by white space.
            folder: that their paths are relative to.
            names: of the datasets.
            shuffle: whether to mix.

        Raises:
            DatabaseError: a file is missing, empty or damaged, lacks a dataset, or does not fit the first one.
        """
        text = decode_names(read_whole(source, error=DatabaseError, limit=_MOST_LIST_BYTES))
        self.files = [folder / name for name in text.split()]
        if not self.files:
            raise DatabaseError(f"{source} lists no files", hint="write the paths of HDF5 files into it, one per line")
        self.names, self.shuffle = tuple(names), shuffle
        counts, first = [], None
        for path in self.files:
            found = hdf5_arrays.shapes(path, self.names)
            rows, *others = {shape[0] for shape in found.values()}
            if others or not rows:
                raise DatabaseError(f"{path}: datasets of shapes {found}, expected the same number of rows, at least 1")
            each = {name: shape[1:] for name, shape in found.items()}
            first = first or each
            if each != first:
                raise DatabaseError(f"{path}: rows of shapes {each}, those of {self.files[0]} are {first}")
            counts.append(rows)
        self.counts = np.array(counts)
        self.shapes = list((first or {}).values())
        self._loaded: tuple[int, dict[str, Array]] | None = None

    def read(self, position: int, batch: int, *, seed: int = 0) -> list[Array]:
        """Batch number `position`: for each name float32 of shape (batch, ...)."""
        out = [np.empty((batch, *shape), np.float32) for shape in self.shapes]
        for index in range(batch):
            file, row = self._place(position * batch + index, seed)
            arrays = self._file(file)
            for array, name in zip(out, self.names, strict=True):
                array[index] = arrays[name][row]
        return out

    def _place(self, number: int, seed: int) -> tuple[int, int]:
        """(file, row) of the row at a position."""
        turn, number = divmod(number, int(self.counts.sum()))
        files, rows = _orders(tuple(self.counts.tolist()), seed, turn) if self.shuffle else (None, None)
        for place in range(len(self.files)):
            file = place if files is None else files[place]
            count = int(self.counts[file])
            if number < count:
                return file, number if rows is None else int(rows[file][number])
            number -= count
        raise AssertionError("a row behind the last file")  # divmod keeps it below the sum

    def _file(self, file: int) -> dict[str, Array]:
        if self._loaded is None or self._loaded[0] != file:
            self._loaded = file, hdf5_arrays.read(self.files[file], self.names)
        return self._loaded[1]


@lru_cache(maxsize=4)
def _orders(counts: tuple[int, ...], seed: int, turn: int) -> tuple[list[int], list[np.ndarray]]:
    """The order of the files in one round, and of each file's rows."""
    rng = np.random.default_rng([seed, turn])
    return rng.permutation(len(counts)).tolist(), [rng.permutation(count) for count in counts]
