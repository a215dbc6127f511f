"""The one place where the bytes of a picture come from.

What is read is an item: a path as the file system has it. Whoever lists pictures makes items, and workers read them.
"""

from __future__ import annotations

import os
from pathlib import Path

from workflow.data.sources.files import State, read_stable


def read(item: bytes, most: int) -> tuple[bytes, State]:
    """The bytes of a picture for a data set or a net, and the state of what holds them.

    Args:
        item: which picture.
        most: bytes; a picture with more is refused.

    Raises:
        PictureError: it is too large for a picture.
        OSError: it cannot be read; ESTALE where it changed while it was being read.
    """
    return read_stable(item, most)


def whole(path: str | Path) -> bytes:
    """The bytes of one picture that a user or a manifest names.

    Raises:
        OSError: as the operating system says it.
    """
    return Path(path).read_bytes()


def size(item: bytes) -> int:
    """Bytes of a picture; 0 where that cannot be told: whoever reads it says what is wrong."""
    try:
        return os.stat(item).st_size  # noqa: PTH116  # as the file system has it
    except OSError:
        return 0
