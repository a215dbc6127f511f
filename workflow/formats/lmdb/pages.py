"""Walk through the pages of a verified database to find the damage that `lmdb.verify` does not detect.

It checks the first page of a large value, not its last one: a file that was cut inside its last picture passes, and
reading that picture kills the process (SIGBUS). Layout of LMDB 0.9, 64 bits: lmdb.h and mdb.c, MDB_page, MDB_meta.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from pathlib import Path

_PAGE_HEADER = 16
_META = struct.Struct("=40xI84xQQQ")  # page size, the main tree's root, last page, transaction
_PAGE = struct.Struct("=10xHH")  # flags, end of the node offsets
_NODE = struct.Struct("=HHHH")  # size or page number in three parts, the third being a leaf's flags; key size
_BRANCH, _LEAF = 0x01, 0x02
_BIG_DATA = 0x01
_NO_ROOT = 2**64 - 1


def missing_at_end(path: Path) -> int:
    """Bytes that are missing for the last value to be whole; 0 for a whole file.

    Quick for a file that reaches to its last page; otherwise every large value is looked at, because LMDB may leave
    unused pages at the end unwritten.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        size, root, last, transaction = _META.unpack_from(data)
        other = _META.unpack_from(data, size)
        if other[3] > transaction:
            _, root, last, _ = other
        if len(data) >= (last + 1) * size or root == _NO_ROOT:
            return 0
        return max(0, max(_ends(data, size, root), default=0) - len(data))


def _ends(data: mmap.mmap, size: int, root: int) -> Iterator[int]:
    """Where each value that has pages of its own ends, in bytes from the start of the file."""
    pages = [root]
    while pages:
        start = pages.pop() * size
        flags, lower = _PAGE.unpack_from(data, start)
        for index in range(start + _PAGE_HEADER, start + lower, 2):
            node = start + int.from_bytes(data[index : index + 2], "little")
            low, high, third, key_size = _NODE.unpack_from(data, node)
            if flags & _BRANCH:
                pages.append(low | high << 16 | third << 32)
            elif flags & _LEAF and third & _BIG_DATA:
                place = node + _NODE.size + key_size
                first = int.from_bytes(data[place : place + 8], "little")
                yield first * size + _PAGE_HEADER + (low | high << 16)
