"""The values of a blob for all pictures of an exam, kept on disk in half precision.

    generations/gen5/evaluation/iter_6000/gen5-train-0d1e2f3a/features-pool3-KEY.npy      float16 (N, D)
                                                              features-pool3-KEY.json     what they belong to

50,000 pictures in cifar10_quick's pool3 take 100 MB there, and are read as they are needed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from workflow.engines.base import Array
from workflow.errors import DataError, NetError
from workflow.exams import cache
from workflow.exams.answers import Progress
from workflow.exams.exam import Exam
from workflow.exams.fingerprint import fingerprint
from workflow.exams.passes import passes
from workflow.exams.picture import Picture
from workflow.generations import Generation
from workflow.models.linear_tail import feature_blob
from workflow.models.model import Model
from workflow.storage import TEMPORARY, atomic_write, replacing

Half = NDArray[np.float16]

_FORMAT = "wf.features/1"
_GREATEST = float(np.finfo(np.float16).max)


@dataclass(frozen=True, kw_only=True, eq=False)
class Features:
    """One row for each picture that can be read, in the order of the exam (of the records, or of the files)."""

    blob: str
    pictures: list[Picture]
    values: Half
    """float16 (N, D), mapped from the file."""


def features(model: Model, exam: Exam, *, blob: str | None = None, progress: Progress | None = None) -> Features:
    """A blob of the net for each picture of an exam: from disk if it is known, else computed and kept.

    Memory holds one batch.

    Args:
        model: a snapshot of a generation.
        exam: the pictures.
        blob: its name; None is the last before the first InnerProduct.
        progress: called with (done, all).

    Raises:
        UsageError: the model belongs to no generation.
        NetError: the net has no such blob.
        DataError: the data set is damaged, or not one picture can be read.
    """
    name = blob or feature_blob(model.net, model.output)
    folder, generation = cache.folder(model, exam), model.generation
    assert generation is not None  # noqa: S101 - else there is no such folder
    key = fingerprint(model, exam)
    stem = f"features-{name.replace('/', '_')}"
    array = folder / f"{stem}-{key[:12]}.npy"  # two commands may write those of two exams
    pictures = _known(array, key, generation)
    if pictures is None:
        folder.mkdir(parents=True, exist_ok=True)
        array.with_suffix(".json").unlink(missing_ok=True)  # it must never describe another array
        pictures = _compute(model, exam, name, array, progress)
        facts = {
            "format": _FORMAT,
            "key": key,
            "pictures": [one._replace(path=generation.recorded(one.path)) for one in pictures],
        }
        atomic_write(array.with_suffix(".json"), json.dumps(facts).encode())
        for old in folder.glob(f"{stem}-{'[0-9a-f]' * 12}.*"):
            if old.stem != array.stem and TEMPORARY not in old.name:
                old.unlink(missing_ok=True)
    values = np.load(array, mmap_mode="r", allow_pickle=False)
    return Features(blob=name, pictures=pictures, values=values[: len(pictures)])


def halved(values: Array) -> Half:
    """(N, ...) as rows (N, D) of half precision; values beyond its range are clipped."""
    flat = values.reshape(len(values), -1)
    return np.clip(flat, -_GREATEST, _GREATEST).astype(np.float16)


def _known(array: Path, key: str, generation: Generation) -> list[Picture] | None:
    """The pictures whose features are in the file; None if the file has another key."""
    try:
        facts = json.loads(array.with_suffix(".json").read_bytes())
        rows = len(np.load(array, mmap_mode="r", allow_pickle=False))
    except (OSError, ValueError):
        return None
    if facts.get("format") != _FORMAT or facts.get("key") != key or rows < len(facts["pictures"]):
        return None
    return [Picture(generation.located(path), sha256, truth) for path, sha256, truth in facts["pictures"]]


def _compute(model: Model, exam: Exam, blob: str, array: Path, progress: Progress | None) -> list[Picture]:
    """Write the features; the file has rows to spare where pictures could not be read."""
    found: list[Picture] = []
    with replacing(array) as temporary:
        mapped: np.memmap[tuple[int, ...], np.dtype[np.float16]] | None = None
        for pictures, rows in _rows(model, exam, blob):
            if mapped is None:
                mapped = open_memmap(temporary, mode="w+", dtype=np.float16, shape=(exam.count, rows.shape[1]))
            mapped[len(found) : len(found) + len(rows)] = rows
            found.extend(pictures)
            if progress is not None:
                progress(len(found) + len(exam.skipped), exam.count)
        if mapped is None:
            raise DataError(f"no picture in {exam.name} can be read")
        mapped.flush()
    return found


def _rows(model: Model, exam: Exam, blob: str) -> Iterator[tuple[list[Picture], Half]]:
    with closing(passes(model, exam, {blob})) as found:
        for pictures, computed in found:
            if blob not in computed:
                raise NetError(f"net {model.source} has no blob '{blob}'", hint="wf inspect prints the blobs")
            yield pictures, halved(computed[blob])
