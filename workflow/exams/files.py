"""Picture files as an exam: found in folders, decoded on all cores by the one decode path, in the order asked for.

Every command that shows files to a network reads them here: predict, evaluate, junk, suspects and next.
"""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workflow.data.pool import Result, crew_for, decode_all, spool_path
from workflow.data.worker import CHANGED, Refusal
from workflow.errors import DataError, UsageError
from workflow.exams.picture import Batch, Picture, Skipped, digest_of
from workflow.formats.files import missing
from workflow.models.model import Model

_SPOOLED = 20_000  # files decoded before the spool is emptied: 60 MB on disk at 32 x 32


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
        for first in range(0, len(self.files), _SPOOLED):
            part = self.files[first : first + _SPOOLED]
            for place, digest, answer in _decode(model, [path for path, _ in part]):
                path, truth = part[place]
                if isinstance(answer, str):
                    self.skipped.append(Skipped(path=Path(path), reason=answer))
                elif self.digests is not None and self.digests[first + place] != digest:
                    self.skipped.append(Skipped(path=Path(path), reason="has changed since it was prepared"))
                else:
                    yield Picture(path, digest, truth), answer


def _decode(model: Model, files: Sequence[str]) -> Iterator[tuple[int, str, NDArray[np.uint8] | str]]:
    """Place, sha256 and pixels of each file in order; the reason in place of the pixels if it cannot be read."""

    def paths(start: int, stop: int) -> list[bytes]:
        return [os.fsencode(name) for name in files[start:stop]]

    shape = model.preprocessing.shape
    each = int(np.prod(shape))
    with tempfile.TemporaryDirectory(prefix="wf-exam-") as name:
        folder = Path(name)
        results = decode_all(
            len(files),
            paths,
            crew=crew_for(len(files), paths, None),
            folder=folder,
            preprocessing=model.preprocessing,
            max_pixels=model.max_pixels,
        )
        for result, offset in _in_order(results):
            refused = {refusal.place: refusal for refusal in result.answer.refusals}
            digests = result.answer.digests.hex()
            count = result.stop - result.start - len(refused)
            pixels = np.fromfile(
                spool_path(folder, result.spool), np.uint8, count=each * count, offset=each * offset
            ).reshape(count, *shape)
            row = 0
            for place in range(result.stop - result.start):
                index = result.start + place
                if place in refused:
                    yield index, "", _reason(files[index], refused[place])
                else:
                    yield index, digests[64 * row : 64 * (row + 1)], pixels[row]
                    row += 1


def _in_order(results: Iterator[Result]) -> Iterator[tuple[Result, int]]:
    """Results by their files, each with the place of its first picture in its spool."""
    early: dict[int, tuple[Result, int]] = {}
    written: Counter[int] = Counter()  # pictures in each spool so far
    following = 0
    for result in results:
        early[result.start] = result, written[result.spool]
        written[result.spool] += result.stop - result.start - len(result.answer.refusals)
        while following in early:
            yield (held := early.pop(following))
            following = held[0].stop


def _reason(path: str, refusal: Refusal) -> str:
    if refusal.what == CHANGED and not os.path.exists(path):  # noqa: PTH110
        return f"cannot be read: {missing(Path(path))[0]}"
    return refusal.reason


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
