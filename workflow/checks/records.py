"""Compare a data set with its recorded hashes, and its records with the pictures that they were made from."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from workflow.checks.verification import Verification
from workflow.data import manifest
from workflow.data.manifest import Image
from workflow.data.pictures import decode
from workflow.data.sources.reading import whole
from workflow.formats import datum
from workflow.formats.lmdb import Reader
from workflow.generations import Generation, Record
from workflow.storage import sha256


def check_files(generation: Generation, result: Verification) -> None:
    """Compare the files of dataset/ with their recorded hashes; in a database that differs, find the records."""
    for name, expected in generation.read().hashes.items():
        path = generation.dataset / name
        if not path.is_file():
            result.problems.append(f"{path} is missing")
            continue
        if sha256(path) == expected:
            continue
        result.problems.append(f"{path} does not match its checksum")
        split = next((one for one in generation.read().counts if generation.database(one) == path.parent), None)
        if split is not None and generation.manifest.is_file():
            result.problems.extend(_changed_records(generation, split))


def images(generation: Generation, split: str) -> list[Image]:
    """The manifest's pictures of a split: number k is that of record k.

    Raises:
        DataError: the manifest is missing or damaged.
    """
    return list(manifest.read(generation, split))


def check_records(generation: Generation, split: str, sample: int, max_pixels: int, result: Verification) -> None:
    """Decode the pictures of evenly spaced records again, and compare pixels and labels.

    Raises:
        DatabaseError: the database cannot be read.
        DataError: the manifest cannot.
    """
    record, listed = generation.read(), images(generation, split)
    with Reader(generation.database(split)) as reader:
        if len(reader) != len(listed):
            result.problems.append(
                f"{generation.database(split)} has {len(reader)} records, but the manifest lists {len(listed)}"
            )
        count = min(len(reader), len(listed))
        for position in np.unique(np.linspace(0, count - 1, min(sample, count)).astype(int)) if count else ():
            key, value = reader.read(int(position))
            pixels, label = datum.decode(value, key=key)
            _compare(listed[position], key, pixels, label, record, max_pixels, result)


def source(image: Image, result: Verification) -> bytes | None:
    """The bytes of the picture that a record was made of; None, and a note, if the file is gone."""
    try:
        data = whole(image.path)
    except OSError:
        _note(result.missing, image.path)
        return None
    if hashlib.sha256(data).hexdigest() != image.sha256:
        _note(result.changed, image.path)
        return None
    return data


def _note(paths: list[str], path: str) -> None:
    if path not in paths:
        paths.append(path)


def _compare(
    image: Image,
    key: bytes,
    pixels: NDArray[np.generic],
    label: int,
    record: Record,
    max_pixels: int,
    result: Verification,
) -> None:
    name = key.decode("utf-8", "backslashreplace")
    if not 0 <= label < len(record.classes) or record.classes[label] != image.class_name:
        result.problems.append(f"record {name} has label {label}, but its picture is of class '{image.class_name}'")
    data = source(image, result)
    if data is None:
        return
    result.checked += 1
    anew = decode(data, record.preprocessing, max_pixels=max_pixels)
    if anew.shape != pixels.shape:
        result.problems.append(f"record {name} is {pixels.shape}, its picture {image.path} is read as {anew.shape}")
        return
    difference = float(np.abs(anew.astype(np.float32) - pixels.astype(np.float32)).max())
    result.max_abs_difference = max(result.max_abs_difference, difference)
    if difference:
        result.problems.append(f"record {name} differs from its picture {image.path} by up to {difference:g}")


def _changed_records(generation: Generation, split: str) -> Iterator[str]:
    """L04: the records whose bytes have changed since they were written."""
    with Reader(generation.database(split)) as reader:
        for position, image in enumerate(images(generation, split)[: len(reader)]):
            key, value = reader.read(position)
            if image.crc32 is not None and zlib.crc32(value) != image.crc32:
                yield f"record {key.decode('utf-8', 'backslashreplace')} does not match its checksum"
