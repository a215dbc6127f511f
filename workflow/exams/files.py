"""Picture files as an exam: found in folders and tars, decoded on all cores by the one decode path, in order.

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

from workflow.cluster.parts import TICKET
from workflow.data.sources import listing, reading
from workflow.errors import DataError
from workflow.exams.listing import Listing
from workflow.exams.picture import PART, Batch, Picture, Skipped, digest_of
from workflow.formats.files import missing
from workflow.models.model import Model
from workflow.paths import PathOrAddress, is_address, path_or_address

if TYPE_CHECKING:
    from workflow.data.decoding import Refusal


def pictures(places: Iterable[PathOrAddress], lists: Sequence[Path] = ()) -> Listing:
    """The pictures that were named, those in the folders and tars that were named, and those on lists.

    Args:
        places: as of `listing.items`.
        lists: as of `listing.listed`.

    Raises:
        UsageError, DataError: as of `listing.items` and `listing.listed`; also if there is no file at all.
    """
    found = Listing()
    refused: list[listing.Refused] = []
    for place in places:
        for item in listing.items(place, refused):
            found.append(item)
    for source in lists:
        for item in listing.listed(source, refused):
            found.append(item)
    found.refused += [Skipped(path=path_or_address(path), reason=reason) for path, reason in refused]
    if not found:
        more = f": {refused[0][0]} {refused[0][1]}" if refused else ""
        where = "on the given lists" if lists else "in the given folders"
        raise DataError(f"no files found {where}{more}")
    return found


@dataclass(kw_only=True)
class Files:
    """Picture files; an `Exam`."""

    name: str
    files: Sequence[tuple[str, str | None]]
    """Path and class."""
    tickets: Sequence[str] | None = None
    """For each file that which makes it an item, see `data.sources.reading`; empty where nothing was listed."""
    digests: Sequence[str] | None = None
    """The sha256 that each file should have, where that is known; one that changed is skipped."""
    skipped: list[Skipped] = field(default_factory=list)

    @property
    def count(self) -> int:
        """Files that may be pictures."""
        return len(self.files)

    def identity(self) -> str:
        """Of the files' names in their folder, classes, sizes and times of change; not of where the folder is."""
        return digest_of(self._lines(os.path.join(self.name, "")))  # noqa: PTH118

    def _lines(self, folder: str) -> Iterator[str]:
        for start in range(0, self.count, PART):
            stop = min(start + PART, self.count)
            for item, (path, truth) in zip(self.items(start, stop), self.files[start:stop], strict=True):
                state = " ".join(map(str, reading.state(item) or ()))
                yield f"{path.removeprefix(folder)}\0{truth or ''}\0{state}"

    def items(self, start: int, stop: int) -> list[bytes]:
        """Of a range of files, see `data.sources.reading`."""
        if isinstance(self.files, Listing):
            return self.files.items(start, stop)
        paths = [os.fsencode(path) for path, _ in self.files[start:stop]]
        if self.tickets is None:
            return paths
        tickets = map(os.fsencode, self.tickets[start:stop])
        return [path + TICKET + ticket if ticket else path for path, ticket in zip(paths, tickets, strict=True)]

    def batches(self, model: Model, size: int) -> Iterator[Batch]:
        """The files that can be read, in their order, at most `size` at a time; the others are in `skipped` then.

        The batches do not depend on who decodes, since none holds files of two parts, so neither do the answers.
        """
        from workflow.exams.decoding import decoded  # with Pillow: not for answers that are known

        self.skipped.clear()
        for found, pixels in decoded(model, self):
            for start in range(0, len(found), size):
                yield Batch(found[start : start + size], pixels[start : start + size])
        self.end()

    def end(self) -> None:
        """All files have been looked at: what was never to be read is skipped, too."""
        if isinstance(self.files, Listing):
            self.skipped += self.files.refused

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
                self.skipped.append(Skipped(path=path_or_address(path), reason=_reason(path, refused[place])))
                continue
            row += 1
            digest = hexadecimal[64 * row : 64 * (row + 1)]
            if self.digests is not None and self.digests[start + place] != digest:
                self.skipped.append(Skipped(path=path_or_address(path), reason="has changed since it was prepared"))
                continue
            found.append(Picture(path, digest, truth))
            kept.append(row)
        return found, kept


def _reason(path: str, refusal: Refusal) -> str:
    if refusal.what == "changed" and not is_address(path) and not reading.exists(path):
        return f"cannot be read: {missing(Path(path))[0]}"
    return refusal.reason
