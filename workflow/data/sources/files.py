"""Pictures in files of this machine."""

from __future__ import annotations

import errno
import os
import stat

from workflow.data.sniff import PictureError

State = tuple[int, int]
"""Size in bytes and time of change in ns of the file that holds a picture: another state, another picture."""

# what operating systems and archivers leave beside pictures
_LITTER = frozenset({"thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx", "@eadir"})
_FLAGS = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def read_stable(path: bytes, most: int) -> tuple[bytes, State]:
    """A regular file's bytes, none of which changed meanwhile, and its state.

    Raises:
        PictureError: it is too large for a picture.
        OSError: it cannot be read; ESTALE where it changed while it was being read.
    """
    descriptor = os.open(path, _FLAGS)  # not blocking: a FIFO may have taken the file's place since the scan
    try:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode):
            raise OSError(errno.ESTALE, "is no longer a regular file")
        if before.st_size > most:
            raise too_large(before.st_size)
        data = os.read(descriptor, before.st_size + 1)
        while len(data) < before.st_size and (more := os.read(descriptor, before.st_size - len(data))):
            data += more
        after = os.fstat(descriptor)
    finally:
        os.close(descriptor)
    if len(data) != before.st_size or after.st_mtime_ns != before.st_mtime_ns or after.st_size != before.st_size:
        raise OSError(errno.ESTALE, "changed while being read")
    return data, (before.st_size, before.st_mtime_ns)


def is_litter(name: str) -> bool:
    """Whether a file or folder of that name is never looked at."""
    return name.startswith(".") or name.lower() in _LITTER


def too_large(size: int) -> PictureError:
    """The error for something that has more bytes than any picture within the limit of pixels."""
    return PictureError(f"has {size} bytes, more than a picture needs", kind="too large", fault="P12")
