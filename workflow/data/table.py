"""The scanned files by number, with a few hundred bytes of facts about each."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workflow.cluster.parts import TICKET
from workflow.data.decoding import CHANGED, FORBIDDEN, NOTES, Decoded
from workflow.data.found import Folder, Skipped
from workflow.data.mapped import mapped
from workflow.data.names import held_on_disk
from workflow.data.split import SPLITS, UNDECIDED
from workflow.data.thumbnails import SIDE
from workflow.generations import Generation
from workflow.paths import recorded

_LARGE = ("labels", "explicit", "digests", "thumbnails", "states", "parts", "rows", "crcs")


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
        notes: uint8 (N,), see `decoding.NOTES`.
        states: int64 (N, 2), size in bytes and time of change in ns of the file that was read.
        parts, rows: int32 and uint32 (N,), where each picture's pixels are: the place in `results` and the row in that
            file; or -1 less the side and the number of the record in an earlier generation's database.
        results: files that begin with pixels.
        earlier: that generation, if there is one.
        crcs: uint32 (N,), the CRC-32 of those records.
        skipped: files that are not used.
        forbidden: files that cannot be read (permission denied).
        changed: files that changed or vanished while they were read.
    """

    def __init__(self, folders: Sequence[Folder], classes: Sequence[str], project: Path = Path()) -> None:
        self.project = project
        self.folders = [folder for folder in folders if folder.names]
        self._places = [_places(one, project) for one in self.folders]
        counts = [len(folder.names) for folder in self.folders]
        self._starts: list[int] = [0, *np.cumsum(counts, dtype=int).tolist()]
        self.classes = tuple(classes)
        self._numbers = numbers = {name: number for number, name in enumerate(classes)}
        splits = {None: UNDECIDED} | {split: number for number, split in enumerate(SPLITS)}
        self.labels = np.repeat(np.array([numbers[one.class_name] for one in self.folders], np.uint16), counts)
        self.explicit = np.repeat(np.array([splits[one.split] for one in self.folders], np.int8), counts)
        files = len(self)
        self.read = np.zeros(files, bool)
        self.digests = np.zeros((files, 32), np.uint8)
        self.thumbnails = np.zeros((files, SIDE * SIDE), np.uint8)
        self.notes = np.zeros(files, np.uint8)
        self.states = np.zeros((files, 2), np.int64)
        self.parts = np.zeros(files, np.int32)
        self.rows = np.zeros(files, np.uint32)
        self.crcs = np.zeros(files, np.uint32)
        self.earlier: Generation | None = None
        self.results: list[Path] = []
        self.skipped: list[Skipped] = []
        self.forbidden: list[str] = []
        self.changed: list[tuple[str, str]] = []

    def __len__(self) -> int:
        return int(self._starts[-1])

    @contextmanager
    def on_disk(self, folder: Path) -> Iterator[None]:
        """Hold the names and what is known of each file in files of a folder, gone after the block.

        Raises:
            OSError: the disk is full.
        """
        tickets = [one.tickets for one in self.folders if one.tickets is not None]
        with held_on_disk([*(one.names for one in self.folders), *tickets], folder):
            for name in _LARGE if len(self) else ():
                array = getattr(self, name)
                setattr(self, name, moved := mapped(folder, array.dtype, array.shape))
                if array.any():
                    moved[:] = array
            try:
                yield
            finally:
                for name in _LARGE:
                    setattr(self, name, getattr(self, name)[:0].copy())

    def number(self, class_name: str) -> int:
        """The number of a class."""
        return self._numbers[class_name]

    def folder(self, index: int) -> tuple[Folder, str]:
        """The folder and the name of file number `index`."""
        number = bisect_right(self._starts, index) - 1
        folder = self.folders[number]
        return folder, folder.names[index - self._starts[number]]

    def names(self, index: int) -> tuple[str, str]:
        """Its path below the folder that the user named, and as the manifest has it."""
        number = bisect_right(self._starts, index) - 1
        name = self.folders[number].names[index - self._starts[number]]
        inside, _, listed = self._places[number]
        return inside + name, listed + name

    def path(self, index: int) -> str:
        """Its path as it can be opened."""
        number = bisect_right(self._starts, index) - 1
        return self._places[number][1] + self.folders[number].names[index - self._starts[number]]

    def recorded(self, index: int) -> str:
        """Its path as the manifest has it."""
        return self.names(index)[1]

    def items(self, indices: NDArray[np.integer]) -> list[bytes]:
        """Some files as those who read them are told, see `sources.reading`."""
        return [self._item(index) for index in indices.tolist()]

    def _item(self, index: int) -> bytes:
        number = bisect_right(self._starts, index) - 1
        folder, place = self.folders[number], index - self._starts[number]
        path = os.fsencode(self._places[number][1] + folder.names[place])
        if folder.tickets is None or not (ticket := folder.tickets[place]):
            return path
        return path + TICKET + os.fsencode(ticket)

    def each_folder(self) -> Iterator[tuple[Folder, str, str, int]]:
        """Of each folder what comes before its names to open a file and in the manifest, and the first number."""
        for folder, (_, path, listed), start in zip(self.folders, self._places, self._starts, strict=False):
            yield folder, path, listed, start

    def note(self, name: str) -> int:
        """How many pictures have a note, one of `decoding.NOTES`."""
        return int(np.count_nonzero(self.notes[self.read] & (1 << NOTES.index(name))))

    def skip(self, index: int, reason: str, kind: str, *, bad: bool) -> None:
        """Skip a file."""
        self.read[index] = False
        self.skipped.append(Skipped(path=self.path(index), reason=reason, kind=kind, bad=bad))

    def fill(self, decoded: Decoded, files: NDArray[np.integer]) -> None:
        """Enter what was decoded of some files, whose numbers are given."""
        for refusal in decoded.refusals:
            index = int(files[decoded.start + refusal.place])
            if refusal.what == FORBIDDEN:
                self.forbidden.append(self.path(index))
            elif refusal.what == CHANGED:
                self.changed.append((self.path(index), refusal.reason))
            else:
                self.skip(index, refusal.reason, refusal.kind, bad=refusal.bad)
        good = np.ones(decoded.stop - decoded.start, bool)
        good[[refusal.place for refusal in decoded.refusals]] = False
        indices = files[decoded.start : decoded.stop][good]
        self.read[indices] = True
        self.digests[indices] = decoded.digests
        self.thumbnails[indices] = decoded.thumbnails
        self.notes[indices] = decoded.notes
        self.states[indices] = decoded.states
        self.parts[indices] = len(self.results)
        self.rows[indices] = np.arange(len(indices))
        self.results.append(decoded.path)


def _places(folder: Folder, project: Path) -> tuple[str, str, str]:
    """What comes before a file's name: below the folder that the user named, to open it, and in the manifest."""
    root = "" if folder.root == Path() else folder.root  # of a list in the current folder
    path = os.path.join(root, folder.inside, "")  # noqa: PTH118
    return f"{folder.inside}/" if folder.inside else "", path, recorded(f"{path}x", project).removesuffix("x")
