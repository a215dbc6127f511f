"""Write the files of dataset/: the databases, mean, labels, manifest, and their hashes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol, Self, TextIO

import numpy as np
from numpy.typing import NDArray

from workflow.data import manifest
from workflow.data.found import Skipped
from workflow.data.mean import RunningMean
from workflow.data.names import CODING
from workflow.data.split import SPLITS, TRAIN, VALIDATION
from workflow.formats import labels
from workflow.formats.binaryproto import write_mean
from workflow.formats.datum import Raw
from workflow.formats.lmdb import MAX_KEY, Writer
from workflow.generations import Generation
from workflow.storage import replacing, sha256, sync_folder

_BLOCK, _BLOCK_BYTES = 256, 2**22  # pictures, and bytes of their records


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
        """A name for its record, and its path as the manifest has it."""


class Records(Protocol):
    """What gives them, see `spool.Spool`."""

    shape: tuple[int, int, int]
    size: int

    def records(self, indices: NDArray[np.intp], labels: Sequence[int]) -> Iterator[tuple[bytes, int]]:
        """The records of some pictures under their labels, as `datum.encode` makes them, and the CRC-32 of each."""


def write_dataset(
    generation: Generation, table: Listed, sides: NDArray[np.int8], spool: Records, seed: int, skipped: list[Skipped]
) -> dict[str, str]:
    """Write everything under `generation.dataset`, durably.

    Args:
        generation: its folder exists.
        table: its `read` files become records.
        sides: int8 (N,), see `split.SPLITS`; without validation pictures they get no database.
        spool: gives the records.
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
    ranks = np.empty(len(indices), np.uint64)
    for start in range(0, len(indices), _BLOCK):
        rows = digests[indices[start : start + _BLOCK]].tobytes()
        hashes = [
            hashlib.blake2b(rows[row : row + 32], digest_size=8, key=key).digest() for row in range(0, len(rows), 32)
        ]
        ranks[start : start + _BLOCK] = np.frombuffer(b"".join(hashes), ">u8")
    return indices[np.argsort(ranks, kind="stable")]


def record_key(number: int, inside: str) -> bytes:
    """convert_imageset's key: eight digits, an underscore, the path; a path too long for LMDB is cut and hashed."""
    name = inside.encode(*CODING)
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
    spool: Records,
    listing: TextIO,
    mean: RunningMean | None,
) -> None:
    pixels = Raw(spool.shape).pixels
    most = max(1, min(_BLOCK, _BLOCK_BYTES // spool.size))
    with Writer(generation.database(split)) as writer, _Behind(writer, spool.size) as behind:
        for start in range(0, len(chosen), most):
            block = chosen[start : start + most]
            numbers = table.labels[block].tolist()
            digests = table.digests[block].tobytes().hex()
            records = spool.records(block, numbers)
            lines = []
            for place, (index, label, (value, crc32)) in enumerate(zip(block.tolist(), numbers, records, strict=True)):
                inside, listed = table.names(index)
                behind.put(record_key(start + place, inside), value)
                if mean is not None:
                    mean.add(pixels(value))
                digest = digests[64 * place : 64 * place + 64]
                name = table.classes[label]
                lines.append(manifest.image_line(listed, digest, name, split, crc32))
            listing.write("".join(lines))


class _Behind:
    """Writes records in a thread, so preparing the next ones overlaps with waiting for the disk.

    Args:
        writer: used by that thread alone.
        size: bytes of a record, about.
    """

    def __init__(self, writer: Writer, size: int) -> None:
        self._writer = writer
        self._most = max(1, min(500, _BLOCK_BYTES // size))
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
