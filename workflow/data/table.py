"""The scanned files by number, with a few hundred bytes of facts about each."""

from __future__ import annotations

import math
import os
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Self

import numpy as np
from numpy.typing import NDArray

from workflow.data.decoding import CHANGED, FORBIDDEN, NOTES, Decoded
from workflow.data.scan import Folder, Skipped
from workflow.data.split import SPLITS, UNDECIDED
from workflow.data.thumbnails import SIDE
from workflow.paths import recorded

_OPEN = 400  # files at once: a process may have 1024


class Table:
    """Every file of some folders, in the order of the folders and of the names inside.

    Args:
        folders: of the classes that take part.
        classes: class names in the order of their numbers.
        project: the project folder, which paths that are written down are relative to.

    Attributes:
        labels: uint16 (N,), the class numbers.
        explicit: int8 (N,), the side where the folders say it, else -1.
        read: bool (N,), whether the file gave a picture that is used.
        digests: uint8 (N, 32), sha256 of the file's bytes.
        thumbnails: uint8 (N, 64).
        parts, rows: uint32 (N,), the place in `results`, and the row in that file, of each picture's pixels.
        results: files that begin with pixels.
        skipped: files that are not used.
        forbidden: files that cannot be read (permission denied).
        changed: files that changed or vanished while they were read.
    """

    def __init__(self, folders: Sequence[Folder], classes: Sequence[str], project: Path = Path()) -> None:
        self.project = project
        self.folders = [folder for folder in folders if folder.names]
        self._prefixes = {folder.root: os.path.join(folder.root, "") for folder in folders}  # noqa: PTH118
        counts = [len(folder.names) for folder in self.folders]
        self._starts = [0, *np.cumsum(counts, dtype=int).tolist()]
        self.classes = tuple(classes)
        self._numbers = numbers = {name: number for number, name in enumerate(classes)}
        splits = {None: UNDECIDED} | {split: number for number, split in enumerate(SPLITS)}
        self.labels = np.repeat(np.array([numbers[one.class_name] for one in self.folders], np.uint16), counts)
        self.explicit = np.repeat(np.array([splits[one.split] for one in self.folders], np.int8), counts)
        files = len(self)
        self.read = np.zeros(files, bool)
        self.digests = np.zeros((files, 32), np.uint8)
        self.thumbnails = np.zeros((files, SIDE * SIDE), np.uint8)
        self._notes = np.zeros(files, np.uint8)
        self.parts = np.zeros(files, np.uint32)
        self.rows = np.zeros(files, np.uint32)
        self.results: list[Path] = []
        self.skipped: list[Skipped] = []
        self.forbidden: list[str] = []
        self.changed: list[tuple[str, str]] = []

    def __len__(self) -> int:
        return int(self._starts[-1])

    @contextmanager
    def on_disk(self, folder: Path) -> Iterator[None]:
        """Hold digests and thumbnails, which are empty at first, in files of a folder; they are gone after the block.

        Raises:
            OSError: the disk is full.
        """
        for name in ("digests", "thumbnails") if len(self) else ():
            shape = getattr(self, name).shape
            with (folder / name).open("wb+") as file:
                (folder / name).unlink()
                os.posix_fallocate(file.fileno(), 0, math.prod(shape))  # a full disk kills who writes to mapped memory
                setattr(self, name, np.memmap(file, np.uint8, "r+", shape=shape))
        try:
            yield
        finally:
            self.digests, self.thumbnails = np.zeros((0, 32), np.uint8), np.zeros((0, SIDE * SIDE), np.uint8)

    def number(self, class_name: str) -> int:
        """The number of a class."""
        return self._numbers[class_name]

    def folder(self, index: int) -> tuple[Folder, str]:
        """The folder and the name of file number `index`."""
        number = bisect_right(self._starts, index) - 1
        folder = self.folders[number]
        return folder, folder.names[index - self._starts[number]]

    def names(self, index: int) -> tuple[str, str]:
        """Its path below the folder that the user named, and its path as it can be opened."""
        folder, name = self.folder(index)
        return f"{folder.inside}/{name}", f"{self._prefixes[folder.root]}{folder.inside}/{name}"

    def path(self, index: int) -> str:
        """Its path as it can be opened."""
        return self.names(index)[1]

    def recorded(self, index: int) -> str:
        """Its path as the manifest has it."""
        return recorded(self.path(index), self.project)

    def paths(self, start: int, stop: int) -> list[bytes]:
        """Paths of a range of files, as the file system has them."""
        return [os.fsencode(self.path(index)) for index in range(start, stop)]

    def note(self, name: str) -> int:
        """How many pictures have a note, one of `worker.NOTES`."""
        return int(np.count_nonzero(self._notes[self.read] & (1 << NOTES.index(name))))

    def skip(self, index: int, reason: str, kind: str, *, bad: bool) -> None:
        """Skip a file."""
        self.read[index] = False
        self.skipped.append(Skipped(path=self.path(index), reason=reason, kind=kind, bad=bad))

    def fill(self, decoded: Decoded) -> None:
        """Enter what was decoded."""
        for refusal in decoded.refusals:
            index = decoded.start + refusal.place
            if refusal.what == FORBIDDEN:
                self.forbidden.append(self.path(index))
            elif refusal.what == CHANGED:
                self.changed.append((self.path(index), refusal.reason))
            else:
                self.skip(index, refusal.reason, refusal.kind, bad=refusal.bad)
        good = np.ones(decoded.stop - decoded.start, bool)
        good[[refusal.place for refusal in decoded.refusals]] = False
        indices = decoded.start + np.flatnonzero(good)
        self.read[indices] = True
        self.digests[indices] = decoded.digests
        self.thumbnails[indices] = decoded.thumbnails
        self._notes[indices] = decoded.notes
        self.parts[indices] = len(self.results)
        self.rows[indices] = np.arange(len(indices))
        self.results.append(decoded.path)


class Spool:
    """The pixels of a table's pictures: `with Spool(table, shape) as spool: spool.pixels(index)`."""

    def __init__(self, table: Table, shape: tuple[int, int, int]) -> None:
        self._table, self.shape = table, shape
        self.size = int(np.prod(shape))
        self._open: dict[int, BinaryIO] = {}  # by part, the one that was opened first comes first

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._open.values():
            file.close()
        self._open.clear()

    def pixels(self, index: int) -> NDArray[np.uint8]:
        """uint8 (C, H, W) of picture number `index`."""
        part = int(self._table.parts[index])
        if (file := self._open.get(part)) is None:
            if len(self._open) == _OPEN:
                self._open.pop(next(iter(self._open))).close()
            file = self._open[part] = self._table.results[part].open("rb", buffering=0)
        data = os.pread(file.fileno(), self.size, int(self._table.rows[index]) * self.size)
        return np.frombuffer(data, np.uint8).reshape(self.shape)

    def remove(self) -> None:
        """Close and delete the files."""
        self.__exit__()
        for path in self._table.results:
            path.unlink()
