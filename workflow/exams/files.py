"""Picture files as an exam: found in folders, decoded on all cores by the one decode path, in the order asked for.

Every command that shows files to a network reads them here: predict, evaluate, junk, suspects and next.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workflow.errors import DataError, UsageError
from workflow.exams.listing import Listing
from workflow.exams.picture import Batch, Picture, Skipped, digest_of
from workflow.formats.files import missing
from workflow.models.model import Model

if TYPE_CHECKING:
    from workflow.data.decoding import Refusal


def pictures(paths: Iterable[Path]) -> Listing:
    """The files that were named, and those in the folders that were named and below, sorted within each.

    Hidden files and folders are left out, links to folders are not followed.

    Raises:
        UsageError: a path does not exist.
        DataError: there is no file at all.
    """
    found = Listing()
    for path in paths:
        if path.is_dir():
            for below in _below(path):
                found.append(below)
        elif path.exists():
            found.append(str(path))
        else:
            message, hint = missing(path)
            raise UsageError(message, hint=hint, fault="P01")
    if not found:
        raise DataError("no files found in the given folders")
    return found


@dataclass(kw_only=True)
class Files:
    """Picture files; an `Exam`."""

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
        return digest_of(f"{path.removeprefix(folder)}\0{truth or ''}\0{_state(path)}" for path, truth in self.files)

    def paths(self, start: int, stop: int) -> list[bytes]:
        """Of a range of files, as the file system has them."""
        return [os.fsencode(path) for path, _ in self.files[start:stop]]

    def batches(self, model: Model, size: int) -> Iterator[Batch]:
        """The files that can be read, in their order, at most `size` at a time; the others are in `skipped` then.

        The batches do not depend on who decodes, since none holds files of two parts, so neither do the answers.
        """
        from workflow.exams.decoding import decoded  # with Pillow: not for answers that are known

        self.skipped.clear()
        for found, pixels in decoded(model, self):
            for start in range(0, len(found), size):
                yield Batch(found[start : start + size], pixels[start : start + size])

    def sorted_out(
        self, start: int, stop: int, refusals: Sequence[Refusal], digests: NDArray[np.uint8]
    ) -> tuple[list[Picture], list[int]]:
        """The pictures among a range of files, and which of those that were decoded they are.

        Args:
            start: the number of the first file.
            stop: that after the last.
            refusals: why some of them are no pictures.
            digests: uint8 (N, 32), of the others.

        Returns:
            The pictures, and their rows in `digests`; files that are none are appended to `skipped`.
        """
        refused = {refusal.place: refusal for refusal in refusals}
        hexadecimal = digests.tobytes().hex()
        found, kept = [], []
        row = -1
        for place, (path, truth) in enumerate(self.files[start:stop]):
            if place in refused:
                self.skipped.append(Skipped(path=Path(path), reason=_reason(path, refused[place])))
                continue
            row += 1
            digest = hexadecimal[64 * row : 64 * (row + 1)]
            if self.digests is not None and self.digests[start + place] != digest:
                self.skipped.append(Skipped(path=Path(path), reason="has changed since it was prepared"))
                continue
            found.append(Picture(path, digest, truth))
            kept.append(row)
        return found, kept


def _reason(path: str, refusal: Refusal) -> str:
    if refusal.what == "changed" and not os.path.exists(path):  # noqa: PTH110
        return f"cannot be read: {missing(Path(path))[0]}"
    return refusal.reason


def _below(folder: Path) -> Iterator[str]:
    for here, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        names.sort()
        yield from (os.path.join(here, name) for name in names if not name.startswith("."))  # noqa: PTH118


def _state(path: str) -> str:
    try:
        status = os.stat(path)  # noqa: PTH116  # 100,000 of them: without a Path each
    except OSError:
        return ""
    return f"{status.st_size} {status.st_mtime_ns}"
