"""From decided pictures to the files of dataset/: two databases, mean, labels, manifest, and their hashes."""

from __future__ import annotations

import hashlib
import os
import zlib
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from workflow.data import manifest
from workflow.data.mean import RunningMean
from workflow.data.scan import SPLITS, Skipped
from workflow.data.split import TRAIN
from workflow.data.table import Spool, Table
from workflow.formats import datum, labels
from workflow.formats.binaryproto import write_mean
from workflow.formats.lmdb import MAX_KEY, Writer
from workflow.generations import Generation
from workflow.storage import replacing, sync_folder


def write_dataset(
    generation: Generation, table: Table, sides: NDArray[np.int8], spool: Spool, seed: int, skipped: list[Skipped]
) -> dict[str, str]:
    """Write everything under `generation.dataset`, durably.

    Args:
        generation: its folder exists.
        table: its `read` files become records.
        sides: int8 (N,), 0 train or 1 test.
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
    mean: RunningMean | None = None
    with replacing(generation.manifest) as path, path.open("w", encoding="utf-8") as listing:
        for side, name in enumerate(SPLITS):
            chosen = shuffled(table.digests, np.flatnonzero(table.read & (sides == side)), seed)
            mean = RunningMean(spool.shape) if side == TRAIN else None
            _write_split(generation.database(name), name, table, chosen, spool, listing, mean)
            if mean is not None:
                write_mean(generation.mean, mean.result())
        manifest.write_skipped(listing, skipped)
    labels.write(generation.labels, table.classes)
    for folder in (generation.database("train"), generation.database("test"), generation.dataset):
        sync_folder(folder)
    return _hashes(generation.dataset)


def shuffled(digests: NDArray[np.uint8], indices: NDArray[np.intp], seed: int) -> NDArray[np.intp]:
    """The pictures in an order that depends on the seed and their bytes alone, not on names or folders."""
    key = seed.to_bytes(8, "little")
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
    folder: Path,
    split: str,
    table: Table,
    chosen: NDArray[np.intp],
    spool: Spool,
    listing: TextIO,
    mean: RunningMean | None,
) -> None:
    with Writer(folder) as writer:
        for number, index in enumerate(chosen.tolist()):
            pixels = spool.pixels(index)
            label = int(table.labels[index])
            value = datum.encode(pixels, label)
            writer.put(record_key(number, table.inside(index)), value)
            if mean is not None:
                mean.add(pixels)
            listing.write(
                manifest.image_line(
                    manifest.Image(
                        path=table.path(index),
                        sha256=table.digests[index].tobytes().hex(),
                        class_name=table.classes[label],
                        split=split,
                        crc32=zlib.crc32(value),
                    )
                )
            )


def _hashes(dataset: Path) -> dict[str, str]:
    names = ("train_lmdb/data.mdb", "test_lmdb/data.mdb", "mean.binaryproto", "labels.txt", "images.jsonl")
    hashes = {}
    for name in names:
        with (dataset / name).open("rb") as file:
            hashes[name] = hashlib.file_digest(file, "sha256").hexdigest()
    return hashes
