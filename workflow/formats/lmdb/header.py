"""Check the first bytes of data.mdb, and translate errors of LMDB and the operating system."""

from __future__ import annotations

import sys
from pathlib import Path

from workflow.errors import DatabaseError, EnvironmentFault
from workflow.formats.mending import make_again

_MAGIC = (0xBEEFC0DE).to_bytes(4, sys.byteorder)


def require_0_9(path: Path, head: bytes) -> None:
    """Refuse a file of LMDB 1.0, from its first 32 bytes; what is no LMDB at all passes.

    0.9's first page has a header of 16 bytes, 1.0's one of 24; then come the magic number and the version.

    Raises:
        DatabaseError: L06.
    """
    for offset in (16, 24):
        if head[offset : offset + 4] == _MAGIC:
            version = int.from_bytes(head[offset + 4 : offset + 8], sys.byteorder)
            if (offset, version) != (16, 1):
                raise DatabaseError(
                    f"{path} uses the format of LMDB 1.0 (version {version}); wf and Caffe need that of 0.9",
                    hint=make_again(path),
                    fault="L06",
                )
            return


def operating_system_says(path: Path, error: Exception) -> EnvironmentFault:
    """What LMDB or the operating system refuses, as one of our errors; a full disk is named as such."""
    if "No space left" in str(error):
        return EnvironmentFault(f"disk full while writing {path}", hint="free some space", fault="P33")
    return EnvironmentFault(f"cannot use the database {path}: {error}")
