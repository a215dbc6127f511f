"""Records of an imported database: copied unchanged, checked, and listed in a manifest."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import zlib
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

import numpy as np

from workflow.data.manifest import image_line
from workflow.errors import DatabaseError
from workflow.formats import datum
from workflow.formats.lmdb import Reader
from workflow.generations import Generation
from workflow.storage import sha256

_KEY = re.compile(rb"\d+_(.+)", re.DOTALL)  # convert_imageset's: the number of the line, and the path in it


@dataclass(kw_only=True)
class Records:
    """The records of both splits."""

    roots: Sequence[Path]
    """Folders that the paths in keys may be relative to."""
    shape: tuple[int, int, int] | None = None
    labels: dict[str, array[int]] = field(default_factory=dict)
    """Split -> the label of each record."""
    total: np.ndarray[tuple[int, ...], np.dtype[np.float64]] | None = None
    """The sum of the training records, for their mean."""
    pictures: int = 0
    """Records whose file was found."""

    def read(self, database: Path, split: str, progress: Callable[[], None]) -> None:
        """Read every record, so damaged ones are found now.

        Raises:
            DatabaseError: L05, a record cannot be read, or is of another shape than the first.
        """
        labels = self.labels[split] = array("q")
        with Reader(database) as reader:
            if not len(reader):
                raise DatabaseError(f"{database} holds no record", fault="L02")
            for position in range(len(reader)):
                key, value = reader.read(position)
                pixels, label = datum.decode(value, key=key)
                self.shape = self.shape or pixels.shape
                if pixels.shape != self.shape:
                    name = key.decode("utf-8", "backslashreplace")
                    raise DatabaseError(
                        f"record {name} of {database} is {pixels.shape}, the first one {self.shape}",
                        hint="records of several sizes cannot become a generation: make them again with -resize_height "
                        "and -resize_width",
                        fault="L05",
                    )
                if label < 0:
                    raise DatabaseError(f"record {key!r} of {database} has label {label}", fault="L05")
                labels.append(label)
                if split == "train":
                    self.total = np.zeros(pixels.shape) if self.total is None else self.total
                    self.total += pixels
                progress()

    def list(self, generation: Generation, split: str, classes: Sequence[str], file: TextIO) -> None:
        """Write a line for each record: the path out of its key, with the hash of that file where it is found."""
        with Reader(generation.database(split), trusted=True) as reader:
            for position in range(len(reader)):
                key, value = reader.read(position)
                match = _KEY.fullmatch(key)
                name = os.fsdecode(match[1] if match else key)
                picture = next((root / name for root in self.roots if match and (root / name).is_file()), None)
                self.pictures += picture is not None
                digest = hashlib.sha256(value).hexdigest() if picture is None else sha256(picture)
                class_name = classes[self.labels[split][position]]
                path = name if picture is None else generation.recorded(picture)
                file.write(image_line(path, digest, class_name, split, zlib.crc32(value)))


def copy(database: Path, folder: Path) -> str:
    """Copy a database; returns the sha256 of its data.mdb."""
    folder.mkdir(parents=True)
    shutil.copyfile(database / "data.mdb", folder / "data.mdb")
    return sha256(folder / "data.mdb")
