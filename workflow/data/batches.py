"""Batches of a database: batch number k holds the records that Caffe's Data layer gives as its k-th."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from workflow.data.transform import Array, Transform
from workflow.errors import DatabaseError
from workflow.formats import datum
from workflow.formats.lmdb import Reader


class Batches:
    """Reads any batch at once, so that training can go on in the middle.

    Batch k begins at record k batch_size, in the order of the keys, and wraps in mid-batch: there is no boundary
    between rounds (Caffe's data_reader). What is random is a function of (seed, k).
    """

    def __init__(self, reader: Reader, batch_size: int, transform: Transform, *, phase: str) -> None:
        self.reader = reader
        self.batch_size = batch_size
        self.transform = transform
        self.phase = phase

    @cached_property
    def stored(self) -> tuple[int, int, int]:
        """(C, H, W) of the first record."""
        pixels, _ = datum.decode(self.reader.values(0, 1)[0])
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
            DatabaseError: L05, a record that cannot be decoded or is of another shape than the first.
        """
        values = self.reader.values(position * self.batch_size, self.batch_size)
        labels = np.empty(len(values), np.float32)
        pictures = []
        for index, value in enumerate(values):
            pixels, labels[index] = datum.decode(value)
            if pixels.shape != self.stored:
                raise self._wrong_shape(position, index, pixels.shape)
            pictures.append(pixels)
        rng = np.random.default_rng([seed, position]) if self.transform.is_random(self.phase) else None
        return self.transform.apply(np.stack(pictures), phase=self.phase, rng=rng), labels

    def _wrong_shape(self, position: int, index: int, shape: tuple[int, ...]) -> DatabaseError:
        place = (position * self.batch_size + index) % len(self.reader)
        key = self.reader.keys[place].decode("utf-8", "backslashreplace")
        return DatabaseError(f"record {key} is {shape}, the first one {self.stored}", fault="L05")
