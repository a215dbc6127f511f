"""Messages through a pipe between this process and its workers."""

from __future__ import annotations

import struct
from typing import IO

import msgspec

from workflow import errors
from workflow.errors import WorkflowError

BEGIN, ASK, END, LOOK = b"begin", b"ask", b"end", b"look"
"""Kinds of messages about Ray: load a work; do a part; let a worker go; compare all machines with this one."""
COMPUTED, DEATH, LOST = b"computed", b"death", b"lost"
"""Kinds of answers: what a worker said, with its host and seconds; that it has died; that Ray has."""


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


def packed_error(error: WorkflowError) -> bytes:
    """An error of the tree as part of a message."""
    return msgspec.json.encode((type(error).__name__, error.message, str(error.at or ""), error.hint, error.fault))


def unpacked_error(data: bytes) -> WorkflowError:
    """The error of `packed_error`."""
    name, text, at, hint, fault = msgspec.json.decode(data)
    error: WorkflowError = getattr(errors, name)(text, at=at or None, hint=hint, fault=fault)
    return error
