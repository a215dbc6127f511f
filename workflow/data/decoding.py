"""Decode some files: a part's work, whose result holds the pixels, hashes and thumbnails of those that are pictures."""

from __future__ import annotations

import errno
import hashlib
import math
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workflow.cluster.parts import TICKET, Part
from workflow.cluster.receipt import Receipt
from workflow.cluster.result_file import read_result, write_result
from workflow.cluster.work import Task, Work, work
from workflow.config import Preprocessing
from workflow.data.pictures import OUT_OF_MEMORY, interpret, out_of_memory
from workflow.data.sniff import SUFFIXES, PictureError
from workflow.data.sources.reading import holder, reader
from workflow.data.thumbnails import Thumbnails

NOTES = ("16-bit", "upscaled", "frames", "extension")
"""What bit k of a picture's note byte says."""

SKIPPED, FORBIDDEN, CHANGED, MEMORY = "skipped", "forbidden", "changed", "memory"
NO_MEMORY = 12  # exit code of a process that ran out of memory, whatever it was doing
_BIT = {note: 1 << index for index, note in enumerate(NOTES)}
_ENDINGS = {kind: tuple(suffix.encode() for suffix in suffixes) for kind, suffixes in SUFFIXES.items()}


class Refusal(NamedTuple):
    """File number `place` of a task gave no picture."""

    place: int
    what: str
    """`skipped`, `forbidden` (permission) or `changed` (while being read)."""
    reason: str
    kind: str
    bad: bool


class Decoded(NamedTuple):
    """Files number `start` .. `stop` - 1, some of which are pictures: those are rows in order."""

    start: int
    stop: int
    path: Path
    """Begins with the pixels: uint8 (N, C, H, W)."""
    refusals: list[Refusal]
    digests: NDArray[np.uint8]
    """(N, 32), sha256 of each picture's file."""
    notes: NDArray[np.uint8]
    """(N,), see `NOTES`."""
    states: NDArray[np.int64]
    """(N, 2), see `sources.files.State`."""
    thumbnails: NDArray[np.uint8]
    """(N, 64)."""

    @classmethod
    def of(cls, receipt: Receipt) -> Decoded:
        """Everything but the pixels."""
        refusals, arrays = read_result(receipt.path, without="pixels")
        refused = [Refusal(*one) for one in refusals]
        return cls(receipt.start, receipt.stop, receipt.path, refused, **arrays)

    def pixels(self, shape: tuple[int, int, int]) -> NDArray[np.uint8]:
        """uint8 (N, C, H, W), for the shape (C, H, W) that was decoded to."""
        count = len(self.digests)
        return np.fromfile(self.path, np.uint8, count * math.prod(shape)).reshape(count, *shape)


@work("data.decoding")
class Decoding(Work, frozen=True, kw_only=True):
    """Turns the files of a part into records of pixels."""

    preprocessing: Preprocessing
    """As recorded with the data set."""
    max_pixels: int
    """Larger pictures are refused."""

    def begin(self) -> Task:
        """Nothing is loaded but the decoder."""
        thumbnails = Thumbnails(self.preprocessing.shape)

        def decode(part: Part, out: BinaryIO) -> None:
            decoded = self.decode(part)
            arrays = decoded._asdict()
            refusals = arrays.pop("refusals")
            write_result(out, refusals, arrays | {"thumbnails": thumbnails(decoded.pixels)})

        return decode

    def reads(self, part: Part) -> Sequence[bytes]:
        """See `Work`."""
        return [path for item in part.items if (path := holder(item)) is not None]

    def decode(self, part: Part) -> Pixels:
        """Read, hash and decode the files of a part.

        Raises:
            MemoryError: memory does not suffice for a file, while others run beside it.
        """
        most = 8 * self.max_pixels + 2**20  # bytes: 16 bits in four channels, not compressed, and metadata
        pixels = np.empty((len(part.items), *self.preprocessing.shape), np.uint8)  # (N, C, H, W)
        refusals: list[Refusal] = []
        digests: list[bytes] = []
        notes = bytearray()
        states: list[tuple[int, int]] = []
        read = reader(part.items, most)
        for place, item in enumerate(part.items):
            if place in part.deadly:
                refusals.append(_deadly(place, part.deadly[place], self.max_pixels))
                continue
            try:
                data, state = read(place)
                picture = interpret(data, self.preprocessing, max_pixels=self.max_pixels)
            except PictureError as error:
                if error.kind == OUT_OF_MEMORY and not part.alone:
                    raise MemoryError from error
                refusals.append(Refusal(place, SKIPPED, error.reason, error.kind, error.bad))
            except MemoryError:
                if not part.alone:
                    raise
                refusals.append(_refused_for_memory(place, "while reading it", self.max_pixels))
            except OSError as error:
                refusals.append(_refusal(place, error))
            else:
                pixels[len(digests)] = picture.pixels
                digests.append(hashlib.sha256(data).digest())
                states.append(state)
                note = 0
                for name in picture.notes:
                    note |= _BIT[name]
                if not item.endswith(_ENDINGS[picture.format]) and _misnamed(item, picture.format):
                    note |= _BIT["extension"]
                notes.append(note)
        found = np.frombuffer(b"".join(digests), np.uint8).reshape(-1, 32)
        known = np.array(states, np.int64).reshape(-1, 2)
        return Pixels(pixels[: len(digests)], found, np.frombuffer(bytes(notes), np.uint8), known, refusals)


class Pixels(NamedTuple):
    """The pictures among some files, see `Decoded`."""

    pixels: NDArray[np.uint8]
    digests: NDArray[np.uint8]
    notes: NDArray[np.uint8]
    states: NDArray[np.int64]
    refusals: list[Refusal]


def _refused_for_memory(place: int, how: str, max_pixels: int) -> Refusal:
    error = out_of_memory(how, max_pixels)
    return Refusal(place, SKIPPED, error.reason, error.kind, error.bad)


def _deadly(place: int, how: str, max_pixels: int) -> Refusal:
    """The refusal of a file at which processes ended."""
    if how == OUT_OF_MEMORY:
        return _refused_for_memory(place, "the processes that decode it are ended with SIGKILL", max_pixels)
    return Refusal(place, SKIPPED, f"cannot be decoded: the processes that try end with {how} (T13)", "damaged", True)


def _refusal(index: int, error: OSError) -> Refusal:
    if error.errno in (errno.EACCES, errno.EPERM):
        return Refusal(index, FORBIDDEN, "cannot be read (permission denied)", "permission denied", True)
    if error.errno in (errno.ESTALE, errno.ENOENT, errno.ENOTDIR, errno.ENXIO, errno.ELOOP):
        reason = str(error.strerror) if error.errno == errno.ESTALE else "disappeared while pictures were being read"
        return Refusal(index, CHANGED, reason, "changed", True)
    return Refusal(index, SKIPPED, f"cannot be read ({error.strerror})", "unreadable", True)


def _misnamed(item: bytes, kind: str) -> bool:
    return not item.partition(TICKET)[0].lower().endswith(_ENDINGS[kind])
