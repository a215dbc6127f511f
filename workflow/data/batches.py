"""Batches of a database: batch k holds the records that Caffe's Data layer returns as its k-th."""

from __future__ import annotations

import threading
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from workflow.data.rows import Rows
from workflow.data.transform import Array, Transform
from workflow.errors import DatabaseError
from workflow.formats import datum
from workflow.formats.lmdb import Reader
from workflow.formats.mending import make_again

_SIZES = "pictures of several sizes need crop_size, or batch_size: 1"
_ANY = 2**31  # labels are below it, whatever the number of classes


class Batches:
    """Random access to batches, so training can resume in the middle; several threads may read.

    Batch k begins at record k batch_size, in the order of the keys, and wraps in mid-batch: there is no boundary
    between rounds (Caffe's data_reader). What is random is a function of (seed, k).

    Attributes:
        classes: how many classes the net has, once that is known; labels are then checked, which real Caffe does not.
    """

    def __init__(self, reader: Reader, batch_size: int, transform: Transform, *, phase: str) -> None:
        self.reader = reader
        self.batch_size = batch_size
        self.transform = transform
        self.phase = phase
        self.classes: int | None = None
        self._lock = threading.Lock()  # a reader serves one thread at a time

    @cached_property
    def stored(self) -> tuple[int, int, int]:
        """(C, H, W) of the first record."""
        value = self.reader.values(0, 1)[0]
        pixels, _ = datum.decode(value, key=self.reader.keys[0], force=self.transform.force)
        return (pixels.shape[0], pixels.shape[1], pixels.shape[2])

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, h, w) of the transformed pictures."""
        return self.transform.shape(self.stored)

    def read(self, position: int, *, seed: int = 0, rows: Rows | None = None) -> tuple[Array, Array]:
        """Batch number `position`, or part of it.

        Records need not be of one size: with a crop they may differ in a batch, else from batch to batch.

        Args:
            position: number of the batch.
            seed: of what is random; that is drawn for the whole batch.
            rows: those to read; all if None.

        Returns:
            Pictures, float32 (rows, C, h, w), and labels, float32 (rows,): batch_size of them if `rows` is None.

        Raises:
            DatabaseError: L05, a record that cannot be decoded, does not fit into one batch with the others, or has
                a label that is no class.
        """
        whole = self.batch_size if rows is None else rows.whole(self.batch_size)
        numbers = range(position * whole, (position + 1) * whole)
        wanted = numbers if rows is None else numbers[rows.own]
        values = self._values(wanted)
        rng = np.random.default_rng([seed, position]) if self.transform.is_random(self.phase) else None
        try:
            pixels, labels = datum.decode_all(values, force=self.transform.force)
            batch = self.transform.apply(pixels, phase=self.phase, rng=rng, rows=rows)
        except DatabaseError:
            batch, labels = self._one_by_one(numbers, rng, rows)
        wrong = np.flatnonzero((labels < 0) | (labels >= (self.classes or _ANY)))
        if wrong.size:
            label = labels[wrong[0]]
            raise self._wrong(wanted[int(wrong[0])], f"label {label}, but there are {self.classes} classes")
        return batch, labels.astype(np.float32)

    def _one_by_one(
        self, numbers: range, rng: np.random.Generator | None, rows: Rows | None
    ) -> tuple[Array, NDArray[np.int32]]:
        """The rows of a batch of records of different sizes; a record that is at fault is named."""
        values = self._values(numbers)
        keys = [self._key(number) for number in numbers]
        try:
            decoded = [
                datum.decode(value, key=key, force=self.transform.force)
                for value, key in zip(values, keys, strict=True)
            ]
        except DatabaseError as error:
            raise DatabaseError(error.message, hint=make_again(self.reader.folder), fault=error.fault) from None
        parts = [self.transform.apply(pixels[None], phase=self.phase, rng=rng) for pixels, _ in decoded]
        own = slice(None) if rows is None else rows.own
        for index, part in enumerate(parts):
            if part.shape != parts[0].shape:
                shapes = f"{decoded[index][0].shape}, that of the batch's first record {decoded[0][0].shape}"
                raise self._wrong(numbers[index], f"its shape is {shapes}", _SIZES)
        return np.concatenate(parts[own]), np.array([label for _, label in decoded[own]], np.int32)

    def _values(self, numbers: range) -> list[bytes]:
        with self._lock:
            return self.reader.values(numbers.start, len(numbers), every=numbers.step)

    def _key(self, number: int) -> bytes:
        return self.reader.keys[number % len(self.reader)]

    def _wrong(self, number: int, what: str, hint: str = "") -> DatabaseError:
        name = self._key(number).decode("utf-8", "backslashreplace")
        return DatabaseError(f"record {name}: {what}", hint=hint or make_again(self.reader.folder), fault="L05")
