"""Batches of a database: batch number k holds the records that Caffe's Data layer gives as its k-th."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from workflow.data.transform import Array, Transform
from workflow.errors import DatabaseError
from workflow.formats import datum
from workflow.formats.lmdb import Reader

_ANY = 2**31  # labels are below it, whatever the number of classes


class Batches:
    """Reads any batch at once, so that training can go on in the middle.

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

    def read(self, position: int, *, seed: int = 0) -> tuple[Array, Array]:
        """Batch number `position`.

        Returns:
            Pictures, float32 (batch_size, C, h, w), and labels, float32 (batch_size,).

        Raises:
            DatabaseError: L05, a record that cannot be decoded, is of another shape than the first, or has a
                label that is no class.
        """
        values = self.reader.values(position * self.batch_size, self.batch_size)
        try:
            pixels, labels = datum.decode_all(values, force=self.transform.force)
        except DatabaseError:
            keys = [self._key(position, index) for index in range(len(values))]
            datum.decode_all(values, keys=keys, force=self.transform.force)  # to name the record
            raise
        if pixels.shape[1:] != self.stored:
            raise self._wrong(position, 0, f"its shape is {pixels.shape[1:]}, that of the first record {self.stored}")
        wrong = np.flatnonzero((labels < 0) | (labels >= (self.classes or _ANY)))
        if wrong.size:
            label = labels[wrong[0]]
            raise self._wrong(position, int(wrong[0]), f"label {label}, but there are {self.classes} classes")
        rng = np.random.default_rng([seed, position]) if self.transform.is_random(self.phase) else None
        return self.transform.apply(pixels, phase=self.phase, rng=rng), labels.astype(np.float32)

    def _key(self, position: int, index: int) -> bytes:
        return self.reader.keys[(position * self.batch_size + index) % len(self.reader)]

    def _wrong(self, position: int, index: int, what: str) -> DatabaseError:
        name = self._key(position, index).decode("utf-8", "backslashreplace")
        return DatabaseError(
            f"record {name}: {what}", hint="wf prepare --gen N --force writes the data set anew", fault="L05"
        )
