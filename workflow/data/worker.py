"""Decode files in batches of hundreds, in this process or in worker processes that are reached through pipes.

Run as a program it reads tasks (paths) from stdin and answers on stdout until stdin ends, so that it dies with its
parent, however that dies. Pixels do not travel through the pipe: they go to the worker's own spool file, one record
of C*H*W bytes after the other.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import signal
import stat
import struct
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import IO, NamedTuple

import msgspec
import numpy as np

from workflow.config import Preprocessing
from workflow.data.pictures import OUT_OF_MEMORY, interpret, out_of_memory
from workflow.data.sniff import SUFFIXES, PictureError
from workflow.data.thumbnails import Thumbnails

NOTES = ("16-bit", "upscaled", "frames", "extension")
"""What bit k of a picture's note byte says."""

SKIPPED, FORBIDDEN, CHANGED, MEMORY = "skipped", "forbidden", "changed", "memory"
NO_MEMORY = 12  # exit code of a process that ran out of memory, whatever it was doing
_BIT = {note: 1 << index for index, note in enumerate(NOTES)}
_ENDINGS = {kind: tuple(suffix.encode() for suffix in suffixes) for kind, suffixes in SUFFIXES.items()}
_FLAGS = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


class Refusal(NamedTuple):
    """File number `place` of a task gave no picture."""

    place: int
    what: str
    """`skipped`, `forbidden` (permission), `changed` (while being read) or `memory` (too little of it)."""
    reason: str
    kind: str
    bad: bool


class Answer(NamedTuple):
    """The results for a task's files; its pictures are the next records of the spool, in order."""

    refusals: list[Refusal]
    digests: bytes
    """32 bytes of sha256 for each picture."""
    notes: bytes
    """One byte for each picture."""
    thumbnails: bytes
    """64 bytes for each picture."""


class Decoder:
    """Turns files into records of a spool file.

    Args:
        preprocessing: as recorded with the data set.
        max_pixels: larger pictures are refused.
        spool: where the pixels go: uint8 (C, H, W), one record after the other.
    """

    def __init__(self, preprocessing: Preprocessing, max_pixels: int, spool: IO[bytes]) -> None:
        self._preprocessing = preprocessing
        self._max_pixels = max_pixels
        self._max_bytes = 8 * max_pixels + 2**20  # 16 bits in four channels, not compressed, and metadata
        self._spool = spool
        self._thumbnails = Thumbnails(preprocessing.shape)

    def work(self, paths: Sequence[bytes]) -> Answer:
        """Read, hash and decode some files.

        Raises:
            OSError: the spool cannot be written.
        """
        pixels = np.empty((len(paths), *self._preprocessing.shape), np.uint8)  # (N, C, H, W)
        refusals: list[Refusal] = []
        digests: list[bytes] = []
        notes = bytearray()
        for index, path in enumerate(paths):
            try:
                data = read_stable(path, self._max_bytes)
                picture = interpret(data, self._preprocessing, max_pixels=self._max_pixels)
            except PictureError as error:
                what = MEMORY if error.kind == OUT_OF_MEMORY else SKIPPED
                refusals.append(Refusal(index, what, error.reason, error.kind, error.bad))
            except MemoryError:
                refusals.append(refused_for_memory(index, "while reading it", self._max_pixels))
            except OSError as error:
                refusals.append(_refusal(index, error))
            else:
                pixels[len(digests)] = picture.pixels
                digests.append(hashlib.sha256(data).digest())
                note = 0
                for name in picture.notes:
                    note |= _BIT[name]
                if not path.endswith(_ENDINGS[picture.format]) and _misnamed(path, picture.format):
                    note |= _BIT["extension"]
                notes.append(note)
        pixels = pixels[: len(digests)]
        self._spool.write(pixels.data)
        self._spool.flush()
        return Answer(refusals, b"".join(digests), bytes(notes), self._thumbnails(pixels).tobytes())


def read_stable(path: bytes, max_bytes: int) -> bytes:
    """A regular file's bytes, none of which changed meanwhile.

    Raises:
        PictureError: it is too large for a picture.
        OSError: it cannot be read; ESTALE where it changed while it was being read.
    """
    descriptor = os.open(path, _FLAGS)  # not blocking: a FIFO may have taken the file's place since the scan
    try:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode):
            raise OSError(errno.ESTALE, "is no longer a regular file")
        if before.st_size > max_bytes:
            raise PictureError(f"has {before.st_size} bytes, more than a picture needs", kind="too large", fault="P12")
        data = os.read(descriptor, before.st_size + 1)
        while len(data) < before.st_size and (more := os.read(descriptor, before.st_size - len(data))):
            data += more
        after = os.fstat(descriptor)
    finally:
        os.close(descriptor)
    if len(data) != before.st_size or after.st_mtime_ns != before.st_mtime_ns or after.st_size != before.st_size:
        raise OSError(errno.ESTALE, "changed while being read")
    return data


def refused_for_memory(index: int, how: str, max_pixels: int) -> Refusal:
    """The refusal of a file that used up all memory."""
    error = out_of_memory(how, max_pixels)
    return Refusal(index, MEMORY, error.reason, error.kind, error.bad)


def _refusal(index: int, error: OSError) -> Refusal:
    if error.errno in (errno.EACCES, errno.EPERM):
        return Refusal(index, FORBIDDEN, "cannot be read (permission denied)", "permission denied", True)
    if error.errno in (errno.ESTALE, errno.ENOENT, errno.ENOTDIR, errno.ENXIO, errno.ELOOP):
        reason = str(error.strerror) if error.errno == errno.ESTALE else "disappeared while pictures were being read"
        return Refusal(index, CHANGED, reason, "changed", True)
    return Refusal(index, SKIPPED, f"cannot be read ({error.strerror})", "unreadable", True)


def _misnamed(path: bytes, kind: str) -> bool:
    return not path.lower().endswith(_ENDINGS[kind])


# ---- as a program ---------------------------------------------------------------------------------------------


def send(stream: IO[bytes], *parts: bytes) -> None:
    """Write one message: the number of its parts, their lengths, the parts."""
    lengths = struct.pack(f"<I{len(parts)}Q", len(parts), *map(len, parts))
    stream.write(b"".join((lengths, *parts)))
    stream.flush()


def receive(stream: IO[bytes]) -> list[bytes] | None:
    """Read one message; None where the other side is gone."""
    head = stream.read(4)
    if len(head) < 4:
        return None
    count: int = struct.unpack("<I", head)[0]
    lengths = stream.read(8 * count)
    if len(lengths) < 8 * count:
        return None
    parts = [stream.read(length) for length in struct.unpack(f"<{count}Q", lengths)]
    return parts if sum(map(len, parts)) == sum(struct.unpack(f"<{count}Q", lengths)) else None


def main() -> None:
    """Serve tasks from stdin; the first message is the settings, the spool's path and the limit."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    warnings.simplefilter("ignore")
    tasks, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what some library prints must not get between two answers
    start = receive(tasks)
    if start is None:
        return
    settings, spool_path, max_pixels = start
    preprocessing = msgspec.json.decode(settings, type=Preprocessing)
    try:
        with Path(os.fsdecode(spool_path)).open("wb") as spool:
            decoder = Decoder(preprocessing, int(max_pixels), spool)
            while (paths := receive(tasks)) is not None:
                answer = decoder.work(paths)
                refusals = json.dumps(answer.refusals).encode()
                send(answers, refusals, answer.digests, answer.notes, answer.thumbnails)
    except BrokenPipeError:
        return  # the parent has ended
    except MemoryError:
        sys.exit(NO_MEMORY)
    except OSError as error:  # the spool's: the disk is full, or worse
        send(answers, json.dumps([error.errno, error.strerror]).encode())
