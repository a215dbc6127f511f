"""Picture files as an exam: found in folders, decoded on all cores by the one decode path, in the order asked for.

Every command that shows files to a network reads them here: predict, evaluate, junk, suspects and next.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workflow.errors import DataError, UsageError
from workflow.exams.picture import Batch, Picture, Skipped, digest_of
from workflow.formats.files import missing
from workflow.models.model import Model


def pictures(paths: Iterable[Path]) -> list[Path]:
    """The files that were named, and those in the folders that were named and below, sorted within each.

    Hidden files and folders are left out, links to folders are not followed.

    Raises:
        UsageError: a path does not exist.
        DataError: there is no file at all.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found.extend(_below(path))
        elif path.exists():
            found.append(path)
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

    def batches(self, model: Model, size: int) -> Iterator[Batch]:
        """The files that can be read, in their order, `size` at a time; the others are appended to `skipped`.

        The batches do not depend on how many cores decode, so that neither does the last bit of an answer.
        """
        self.skipped.clear()
        shape = model.preprocessing.shape
        pixels = np.empty((size, *shape), np.uint8)
        waiting: list[Picture] = []
        for picture, record in self._decoded(model):
            pixels[len(waiting)] = record
            waiting.append(picture)
            if len(waiting) == size:
                yield Batch(waiting, pixels)
                waiting, pixels = [], np.empty((size, *shape), np.uint8)
        if waiting:
            yield Batch(waiting, pixels[: len(waiting)])

    def _decoded(self, model: Model) -> Iterator[tuple[Picture, NDArray[np.uint8]]]:
        from workflow.exams.decoding import decoded  # with Pillow: not for answers that are known

        for place, digest, answer in decoded(model, [path for path, _ in self.files]):
            path, truth = self.files[place]
            if isinstance(answer, str):
                self.skipped.append(Skipped(path=Path(path), reason=answer))
            elif self.digests is not None and self.digests[place] != digest:
                self.skipped.append(Skipped(path=Path(path), reason="has changed since it was prepared"))
            else:
                yield Picture(path, digest, truth), answer


def _below(folder: Path) -> Iterator[Path]:
    for here, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(here, name) for name in sorted(names) if not name.startswith("."))


def _state(path: str) -> str:
    try:
        status = os.stat(path)  # noqa: PTH116  # 100,000 of them: without a Path each
    except OSError:
        return ""
    return f"{status.st_size} {status.st_mtime_ns}"
