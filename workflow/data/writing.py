"""Write the files of dataset/: the databases, mean, labels, manifest, and their hashes."""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol, Self, TextIO

import numpy as np
from numpy.typing import NDArray

from workflow.data import manifest
from workflow.data.mean import RunningMean
from workflow.data.scan import Skipped
from workflow.data.split import SPLITS, TRAIN, VALIDATION
from workflow.formats import datum, labels
from workflow.formats.binaryproto import write_mean
from workflow.formats.lmdb import MAX_KEY, Writer
from workflow.generations import Generation
from workflow.storage import replacing, sha256, sync_folder

_BLOCK = 4096  # pictures


class Listed(Protocol):
    """What is known of the pictures, see `table.Table`."""

    read: NDArray[np.bool_]
    digests: NDArray[np.uint8]

    @property
    def labels(self) -> NDArray[np.integer]:
        """(N,), the class numbers."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Names in the order of their numbers."""

    def names(self, index: int) -> tuple[str, str]:
        """A name for its record, and its path as it can be opened."""


class Pixels(Protocol):
    """What gives them, see `table.Spool`."""

    shape: tuple[int, int, int]
    size: int

    def pixels(self, index: int) -> NDArray[np.uint8]:
        """uint8 (C, H, W) of picture number `index`."""


def write_dataset(
    generation: Generation, table: Listed, sides: NDArray[np.int8], spool: Pixels, seed: int, skipped: list[Skipped]
) -> dict[str, str]:
    """Write everything under `generation.dataset`, durably.

    Args:
        generation: its folder exists.
        table: its `read` files become records.
        sides: int8 (N,), see `split.SPLITS`; without validation pictures they get no database.
        spool: gives the pixels.
        seed: of the order of the records.
        skipped: what to list as skipped.

    Returns:
        File below dataset/ -> sha256.

    Raises:
        OSError: as the operating system says it.
        EnvironmentFault: the disk is full.
    """
    generation.dataset.mkdir(exist_ok=True)
    hashes: dict[str, Future[str]] = {}
    with (
        ThreadPoolExecutor(1) as hasher,  # hashes the larger database while the smaller one is written
        replacing(generation.manifest) as path,
        path.open("w", encoding="utf-8") as listing,
    ):
        for side, name in enumerate(SPLITS):
            if side == VALIDATION and not np.any(sides[table.read] == side):
                continue
            chosen = shuffled(table.digests, np.flatnonzero(table.read & (sides == side)), seed)
            mean = RunningMean(spool.shape) if side == TRAIN else None
            folder = generation.database(name)
            _write_split(generation, name, table, chosen, spool, listing, mean)
            hashes[f"{folder.name}/data.mdb"] = hasher.submit(sha256, folder / "data.mdb")
            if mean is not None:
                write_mean(generation.mean, mean.result())
        manifest.write_skipped(listing, generation, skipped)
    labels.write(generation.labels, table.classes)
    for name in hashes:
        sync_folder((generation.dataset / name).parent)
    sync_folder(generation.dataset)
    small = (generation.mean, generation.labels, generation.manifest)
    return {name: future.result() for name, future in hashes.items()} | {path.name: sha256(path) for path in small}


def shuffled(digests: NDArray[np.uint8], indices: NDArray[np.intp], seed: int) -> NDArray[np.intp]:
    """The pictures in an order that depends on the seed and their bytes alone, not on names or folders."""
    key = str(seed).encode()[-64:]
    ranks = np.fromiter(
        (
            int.from_bytes(hashlib.blake2b(digests[index].tobytes(), digest_size=8, key=key).digest())
            for index in indices
        ),
        np.uint64,
        len(indices),
    )
    return indices[np.argsort(ranks, kind="stable")]


def record_key(number: int, inside: str) -> bytes:
    """convert_imageset's key: eight digits, an underscore, the path; a path too long for LMDB is cut and hashed."""
    name = os.fsencode(inside)
    key = b"%08d_%s" % (number, name)
    if len(key) <= MAX_KEY:
        return key
    mark = b"_" + hashlib.sha256(name).hexdigest()[:16].encode()
    return key[: MAX_KEY - len(mark)] + mark


def _write_split(
    generation: Generation,
    split: str,
    table: Listed,
    chosen: NDArray[np.intp],
    spool: Pixels,
    listing: TextIO,
    mean: RunningMean | None,
) -> None:
    with Writer(generation.database(split)) as writer, _Behind(writer, spool.size) as behind:
        for number, index in enumerate(_numbers(chosen)):
            pixels = spool.pixels(index)
            label = int(table.labels[index])
            value = datum.encode(pixels, label)
            inside, path = table.names(index)
            behind.put(record_key(number, inside), value)
            if mean is not None:
                mean.add(pixels)
            digest = table.digests[index].tobytes().hex()
            name, crc32 = table.classes[label], zlib.crc32(value)
            listing.write(manifest.image_line(generation.recorded(path), digest, name, split, crc32))


def _numbers(chosen: NDArray[np.intp]) -> Iterator[int]:
    """As `chosen.tolist()`, which would take 40 bytes a picture."""
    for start in range(0, len(chosen), _BLOCK):
        yield from chosen[start : start + _BLOCK].tolist()


class _Behind:
    """Writes records in a thread, so preparing the next ones overlaps with waiting for the disk.

    Args:
        writer: used by that thread alone.
        size: bytes of a record, about.
    """

    def __init__(self, writer: Writer, size: int) -> None:
        self._writer = writer
        self._most = max(1, min(500, 2**22 // size))
        self._records: list[tuple[bytes, bytes]] = []
        self._thread = ThreadPoolExecutor(1)
        self._under_way: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def put(self, key: bytes, value: bytes) -> None:
        """Queue a record; errors of earlier ones are raised here, too."""
        self._records.append((key, value))
        if len(self._records) == self._most:
            self._hand_on()

    def __exit__(self, kind: object, *_: object) -> None:
        with self._thread:
            if kind is None:
                self._hand_on()
                self._wait()

    def _hand_on(self) -> None:
        self._wait()
        self._under_way = self._thread.submit(self._write, self._records)
        self._records = []

    def _wait(self) -> None:
        if self._under_way is not None:
            self._under_way.result()

    def _write(self, records: list[tuple[bytes, bytes]]) -> None:
        for key, value in records:
            self._writer.put(key, value)
