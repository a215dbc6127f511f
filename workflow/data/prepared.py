"""The pictures of a prepared generation, of all its parts, by number: what `writing` needs to write them again."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from workflow.data import manifest
from workflow.data.thumbnails import SIDE, Thumbnails
from workflow.errors import DataError
from workflow.formats import datum
from workflow.formats.lmdb import Reader
from workflow.formats.mending import make_again
from workflow.generations import Generation

_BATCH = 500


class Prepared:
    """Pictures in the order of the manifest: `with Prepared(generation) as pictures: pictures.some(np.array([7]))`.

    Attributes:
        classes: names in the order of their numbers.
        labels: int64 (N,), class numbers.
        digests: uint8 (N, 32), sha256 of each file's bytes.
        read: bool (N,), all true.
        shape: (C, H, W) of the pictures.
        size: bytes of a picture.

    Raises:
        DataError: the manifest is missing or damaged, or the databases hold other pictures.
        DatabaseError: a database cannot be opened.
    """

    def __init__(self, generation: Generation) -> None:
        record = generation.read()
        images = list(manifest.read(generation))
        numbers = {name: number for number, name in enumerate(record.classes)}
        self._generation = generation
        self._paths = [image.path for image in images]
        self._splits = [image.split for image in images]
        self.classes = record.classes
        self.labels = np.array([numbers[image.class_name] for image in images], np.int64)
        digests = b"".join(bytes.fromhex(image.sha256) for image in images)
        self.digests = np.frombuffer(digests, np.uint8).reshape(-1, 32)
        self.read = np.ones(len(images), bool)
        self.shape = record.preprocessing.shape
        self.size = int(np.prod(self.shape))
        self._stack = ExitStack()
        self._readers: dict[str, Reader] = {}
        self._first = {split: self._splits.index(split) for split in dict.fromkeys(self._splits)}

    def __enter__(self) -> Self:
        for split in self._first:
            reader = self._stack.enter_context(Reader(self._generation.database(split)))
            if len(reader) != (listed := self._splits.count(split)):
                raise DataError(
                    f"{self._generation.database(split)} has {len(reader)} records, but the manifest lists {listed}",
                    hint=make_again(self._generation.dataset),
                )
            self._readers[split] = reader
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def names(self, index: int) -> tuple[str, str]:
        """A name for its record, and its path as the manifest has it."""
        path = self._paths[index]
        return f"{self.classes[self.labels[index]]}/{Path(path).name}", self._generation.recorded(path)

    def some(self, indices: NDArray[np.intp]) -> NDArray[np.uint8]:
        """uint8 (M, C, H, W) of some pictures."""
        return np.concatenate([self._pixels(index, index + 1) for index in indices.tolist()])

    def records(self, indices: NDArray[np.intp], labels: Sequence[int]) -> Iterator[tuple[bytes, int]]:
        """The records of some pictures under their labels, and the CRC-32 of each."""
        for index, label in zip(indices.tolist(), labels, strict=True):
            value = datum.encode(self._pixels(index, index + 1)[0], label)
            yield value, zlib.crc32(value)

    def thumbnails(self) -> NDArray[np.uint8]:
        """uint8 (N, 64), see `data.thumbnails`."""
        shrink = Thumbnails(self.shape)
        result = np.empty((len(self._paths), SIDE * SIDE), np.uint8)
        for split, first in self._first.items():
            stop = first + len(self._readers[split])
            for start in range(first, stop, _BATCH):
                end = min(start + _BATCH, stop)
                result[start:end] = shrink(self._pixels(start, end))
        return result

    def _pixels(self, start: int, stop: int) -> NDArray[np.uint8]:
        """Of a range of pictures, all of one part: uint8 (N, C, H, W)."""
        split = self._splits[start]
        values = self._readers[split].values(start - self._first[split], stop - start)
        pixels: NDArray[np.uint8] = datum.decode_all(values)[0].astype(np.uint8, copy=False)
        return pixels
