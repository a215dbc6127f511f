"""An exam: labelled pictures to evaluate a network on, from a database or from files."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from workflow.config import Config
from workflow.data import manifest
from workflow.data.pool import crew_for, decode_all, spool_path
from workflow.data.scan import scan
from workflow.errors import DataError
from workflow.exams.predict import Skipped, pictures
from workflow.formats.datum import decode_all as decode_records
from workflow.formats.lmdb import Reader
from workflow.formats.mending import make_again
from workflow.generations import Generation, existing
from workflow.models.model import Model

Pixels = NDArray[np.generic]

_log = logging.getLogger("workflow")
_SPOOLED = 20_000  # files decoded between two clearances of the spool: 60 MB on disk at 32 x 32


class Picture(NamedTuple):
    """One question of an exam."""

    path: str
    """As the manifest has it, or as it was found."""
    sha256: str
    """Of the file's bytes, hexadecimal."""
    truth: str | None
    """The class that it is said to be, None for an unlabelled picture."""


class Batch(NamedTuple):
    """Some pictures with their pixels."""

    pictures: list[Picture]
    pixels: Pixels
    """(N, C, H, W) as a record of the data set holds it."""


class Exam(Protocol):
    """Pictures in a fixed order; their pixels are read again for each snapshot."""

    name: str
    """`gen5 test`, or the folder."""
    skipped: list[Skipped]
    """Files that could not be read the last time."""

    @property
    def count(self) -> int:
        """Of pictures, or of files that may be pictures."""
        ...

    def identity(self) -> str:
        """Changes whenever the pictures or their labels may have: what saved answers are looked up by."""
        ...

    def batches(self, model: Model, size: int) -> Iterator[Batch]:
        """All pictures, as the model's own preprocessing makes them, at most `size` at a time.

        Raises:
            DataError, DatabaseError: the data set is damaged.
        """
        ...


@dataclass(kw_only=True)
class Records:
    """The records of a generation's database, decoded when they were prepared."""

    generation: Generation
    split: str
    skipped: list[Skipped] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.name = f"{self.generation.name} {self.split}"

    @property
    def count(self) -> int:
        """Records."""
        return sum(self.generation.read().counts[self.split].values())

    def identity(self) -> str:
        """Of the data set's files, as recorded when it was prepared."""
        return _digest([self.split, json.dumps(self.generation.read().hashes, sort_keys=True)])

    def batches(self, model: Model, size: int) -> Iterator[Batch]:
        """Batches of records, without reading the files; `model` must have the data set's preprocessing."""
        del model
        listed = (one for one in manifest.read(self.generation, self.split))
        start, count = 0, self.count
        with Reader(self.generation.database(self.split)) as reader:
            while images := list(islice(listed, size)):
                if start + len(images) > min(len(reader), count):
                    break
                pixels, _ = decode_records(reader.values(start, len(images)))
                yield Batch([Picture(one.path, one.sha256, one.class_name) for one in images], pixels)
                start += len(images)
            if start != len(reader) or start != count:
                number = self.generation.number
                raise DataError(
                    f"{self.generation.database(self.split)} has {len(reader)} records, the manifest lists other ones",
                    hint=f"wf verify --gen {number} shows details; {make_again(self.generation.dataset)}",
                )


@dataclass(kw_only=True)
class Files:
    """Picture files, decoded on all cores by the one decode path."""

    name: str
    files: Sequence[tuple[str, str | None]]
    """Path and class."""
    digests: Sequence[str] | None = None
    """The sha256 that each file should have, where that is known; one that changed is skipped."""
    skipped: list[Skipped] = field(default_factory=list)

    @property
    def count(self) -> int:
        """Files that may be pictures."""
        return len(self.files)

    def identity(self) -> str:
        """Of the files' names in their folder, classes, sizes and times of change; not of where the folder is."""
        folder = os.path.join(self.name, "")  # noqa: PTH118
        return _digest(f"{path.removeprefix(folder)}\0{truth or ''}\0{_state(path)}" for path, truth in self.files)

    def batches(self, model: Model, size: int) -> Iterator[Batch]:
        """Files in their order, what cannot be read set aside in `skipped`."""
        self.skipped.clear()
        for start in range(0, len(self.files), _SPOOLED):
            part = self.files[start : start + _SPOOLED]
            yield from self._decoded(model, part, start, size)

    def _decoded(self, model: Model, part: Sequence[tuple[str, str | None]], first: int, size: int) -> Iterator[Batch]:
        def paths(start: int, stop: int) -> list[bytes]:
            return [name.encode("utf-8", "surrogateescape") for name, _ in part[start:stop]]

        crew = crew_for(len(part), paths, None)
        shape = model.preprocessing.shape
        each = int(np.prod(shape))
        offsets: Counter[int] = Counter()  # pictures read from each spool so far
        with tempfile.TemporaryDirectory(prefix="wf-exam-") as name:
            folder = Path(name)
            for result in decode_all(
                len(part),
                paths,
                crew=crew,
                folder=folder,
                preprocessing=model.preprocessing,
                max_pixels=model.max_pixels,
            ):
                refused = {refusal.place: refusal.reason for refusal in result.answer.refusals}
                digests = result.answer.digests.hex()
                readable: list[Picture] = []
                for place in range(result.stop - result.start):
                    path, truth = part[result.start + place]
                    if place in refused:
                        self.skipped.append(Skipped(path=Path(path), reason=refused[place]))
                        continue
                    readable.append(Picture(path, digests[64 * len(readable) : 64 * (len(readable) + 1)], truth))
                pixels = np.fromfile(
                    spool_path(folder, result.spool),
                    np.uint8,
                    count=each * len(readable),
                    offset=each * offsets[result.spool],
                ).reshape(len(readable), *shape)
                offsets[result.spool] += len(readable)
                kept = self._unchanged(readable, first + result.start, refused)
                for begin in range(0, len(kept), size):
                    chosen = kept[begin : begin + size]
                    yield Batch([readable[index] for index in chosen], pixels[chosen])

    def _unchanged(self, readable: Sequence[Picture], first: int, refused: dict[int, str]) -> list[int]:
        """Which of the readable pictures still have the bytes that they should."""
        if self.digests is None:
            return list(range(len(readable)))
        places = [place for place in range(len(readable) + len(refused)) if place not in refused]
        kept = []
        for index, (place, one) in enumerate(zip(places, readable, strict=True)):
            if self.digests[first + place] == one.sha256:
                kept.append(index)
            else:
                self.skipped.append(Skipped(path=Path(one.path), reason="has changed since it was prepared"))
        return kept


def of_generation(generation: Generation, model: Model, split: str = "test") -> Exam:
    """The test pictures (or training pictures) of a generation, for a snapshot of any generation.

    Read from the database where that holds what the model takes; from the files where the snapshot's own
    preprocessing is another one.
    """
    if generation.read().preprocessing == model.preprocessing:
        return Records(generation=generation, split=split)
    listed = list(manifest.read(generation, split))
    return Files(
        name=f"{generation.name} {split}",
        files=[(one.path, one.class_name) for one in listed],
        digests=[one.sha256 for one in listed],
    )


def asked(config: Config, model: Model, *, folder: Path | None = None, number: int | None = None) -> Exam:
    """The exam of a command: a labelled folder, else the test set of the snapshot's generation.

    Args:
        config: says where the generations are.
        model: the snapshot.
        folder: with a sub-folder for each class.
        number: whose test set a model from elsewhere is shown; None is the newest's.

    Raises:
        UsageError, DataError: as `of_labelled`; there is no such generation.
    """
    if folder is not None:
        return of_labelled(folder)
    return of_generation(model.generation or existing(config, number), model)


def of_labelled(folder: Path) -> Exam:
    """A folder with one sub-folder for each class; of one with training and test pictures, the test pictures.

    Raises:
        UsageError, DataError: P01, P02, P03 there is no such folder, or it has no class folders.
    """
    found = scan([folder])
    for text in found.warnings:
        _log.warning("%s", text)
    parts = [part for part in found.folders if part.split == "test"]
    if parts:
        _log.warning("the exam is the test pictures of %s, without its training pictures", folder)
    files = [
        (str(part.root / part.inside / name), part.class_name) for part in parts or found.folders for name in part.names
    ]
    if not files:
        raise DataError(f"no file in the class folders of {folder}", hint=f"put pictures into {folder}/CLASS/")
    return Files(name=str(folder), files=sorted(files))


def of_unlabelled(*paths: Path) -> Exam:
    """Unlabelled files, and all files in folders.

    Raises:
        UsageError: P01 a path does not exist.
        DataError: there is no file at all.
    """
    return Files(name=" ".join(map(str, paths)), files=[(str(path), None) for path in pictures(paths)])


def is_own_test(model: Model, exam: Exam) -> bool:
    """Whether the exam is the test set of the snapshot's own generation, which the solver put to it too."""
    return model.generation is not None and exam.name == f"{model.generation.name} test"


def digest(questions: Sequence[Picture]) -> str:
    """A digest of the pictures and labels, independent of their order and paths."""
    return _digest(sorted(f"{one.sha256} {one.truth or ''}" for one in questions))


def _digest(lines: Iterable[str]) -> str:
    found = hashlib.sha256()
    for line in lines:
        found.update(line.encode("utf-8", "surrogatepass") + b"\n")
    return found.hexdigest()


def _state(path: str) -> str:
    try:
        status = os.stat(path)  # noqa: PTH116  # 100,000 of them: without a Path each
    except OSError:
        return ""
    return f"{status.st_size} {status.st_mtime_ns}"
