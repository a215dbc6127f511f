"""Messages through a pipe between this process and its workers."""

from __future__ import annotations

import struct
from typing import IO


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
