"""Something that is done to each part of a list, in any process: it travels as a name and JSON."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import BinaryIO, TypeVar

import msgspec
from msgspec import Struct

from workflow.cluster.parts import Part

Task = Callable[[Part, BinaryIO], None]
"""Writes the result of a part. Raises MemoryError if memory does not suffice while others run beside it."""

_NAME = re.compile(r"[a-z_]+(\.[a-z_]+)*")
_known: dict[str, type[Work]] = {}


class Work(Struct, frozen=True, kw_only=True):
    """Settings of a kind of work. Sub-classes are frozen structs too, and registered."""

    def begin(self) -> Task:
        """Load what all parts need, once in each process."""
        raise NotImplementedError

    def reads(self, part: Part) -> Sequence[bytes]:
        """The paths of files that a worker must see to do a part."""
        del part
        return ()


W = TypeVar("W", bound=type[Work])


def work(name: str) -> Callable[[W], W]:
    """Register a class under the name of the module that defines it, below `workflow`: `data.decoding`."""

    def register(found: W) -> W:
        _known[name] = found
        return found

    return register


def packed(one: Work) -> tuple[str, bytes]:
    """The name and the JSON of a work."""
    name = next(name for name, kind in _known.items() if kind is type(one))
    return name, msgspec.json.encode(one)


def unpacked(name: str, settings: bytes) -> Work:
    """The work that `packed` gave; its module is imported.

    Raises:
        ValueError: no work has that name, or the JSON does not fit.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"'{name}' is no name of a work")
    if name not in _known:
        import_module(f"workflow.{name}")
    return msgspec.json.decode(settings, type=_known[name])
