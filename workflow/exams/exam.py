"""An exam: the pictures that a network is evaluated on, from a database or from files."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice, repeat
from typing import Protocol

from workflow.config import Config
from workflow.data import manifest
from workflow.data.scan import scan
from workflow.errors import DataError, UsageError
from workflow.exams.files import Files, pictures
from workflow.exams.picture import Batch, Picture, Skipped, digest_of
from workflow.formats.datum import decode_all as decode_records
from workflow.formats.mending import make_again
from workflow.generations import Generation, existing
from workflow.models.model import Model
from workflow.paths import PathOrAddress
from workflow.words import PARTS

_log = logging.getLogger("workflow")


class Exam(Protocol):
    """Pictures in a fixed order; their pixels are read again for each snapshot."""

    name: str
    """`gen5 test`, or the folder."""
    skipped: list[Skipped]
    """Files that could not be read the last time."""

    @property
    def count(self) -> int:
        """The number of pictures, or of files that may be pictures."""
        ...

    def identity(self) -> str:
        """Changes whenever the pictures or their labels may have: cached answers are looked up by it."""
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
        return digest_of([self.split, json.dumps(self.generation.read().hashes, sort_keys=True)])

    def batches(self, model: Model, size: int) -> Iterator[Batch]:
        """Batches of records, without reading the files; `model` must have the data set's preprocessing."""
        from workflow.formats.lmdb import Reader  # not for answers that are known

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


def asked(
    config: Config, model: Model, *, folder: PathOrAddress | None = None, number: int | None = None, split: str = "test"
) -> Exam:
    """The exam of a command: a labelled folder, else the test set of the snapshot's generation.

    Args:
        config: says where the generations are.
        model: the snapshot.
        folder: with a sub-folder for each class.
        number: whose test set a model from elsewhere is shown; None is the newest's.
        split: of the generation, `test` or `validation`.

    Raises:
        UsageError, DataError: as `of_labelled`; there is no such generation, or it has no validation pictures.
    """
    if folder is not None:
        if split != "test":
            raise UsageError(f"--part {split} and a folder cannot be used together", hint="use one of them")
        return of_labelled(folder, model.classes or ())
    one = model.generation or existing(config, number)
    if split != "test" and split not in one.read().counts:
        raise UsageError(
            f"{one.name} has no {split} pictures",
            hint="its best snapshot was chosen by the test pictures; wf evaluate shows them",
        )
    return of_generation(one, model, split)


def of_labelled(folder: PathOrAddress, classes: Sequence[str] = ()) -> Exam:
    """A folder or tar with one sub-folder for each class; of one with training and test pictures, the test pictures.

    Args:
        folder: where they are.
        classes: of the net, in the order of their numbers, which labels in a tar may be.

    Raises:
        UsageError, DataError: P01, P02, P03 there is no such folder, or it has no class folders.
    """
    found = scan([folder], classes=classes)
    for text in found.warnings:
        _log.warning("%s", text)
    parts = [part for part in found.folders if part.split == "test"]
    if parts:
        _log.warning("the exam is the test pictures of %s, without its training pictures", folder)
    files = sorted(
        (os.path.join(part.root, part.inside, name), part.class_name, ticket)  # noqa: PTH118  # 100,000 of them
        for part in parts or found.folders
        for name, ticket in zip(part.names, part.tickets or repeat(""), strict=False)
    )
    if not files:
        raise DataError(f"no file in the class folders of {folder}", hint=f"put pictures into {folder}/CLASS/")
    tickets = [ticket for *_, ticket in files]
    return Files(
        name=str(folder),
        files=[(path, class_name) for path, class_name, _ in files],
        tickets=tickets if any(tickets) else None,
    )


def of_unlabelled(*paths: PathOrAddress) -> Exam:
    """Unlabelled files, and all files in folders.

    Raises:
        UsageError: P01 a path does not exist.
        DataError: there is no file at all.
    """
    return Files(name=" ".join(map(str, paths)), files=pictures(paths))


def own_split(model: Model, exam: Exam) -> str | None:
    """`train`, `validation` or `test` if the exam is that part of the snapshot's own generation, else None."""
    name, _, split = exam.name.rpartition(" ")
    return split if model.generation is not None and name == model.generation.name and split in PARTS else None
