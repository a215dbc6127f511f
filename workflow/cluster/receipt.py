"""What comes back of a part: where its result is. The result itself stays in its file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol, TypeVar

from msgspec import Struct

from workflow.cluster.parts import Part


class Receipt(Struct, frozen=True, kw_only=True):
    """Says that the result of a part is whole."""

    number: int
    start: int
    stop: int
    """The part's places in the list."""
    path: Path

    @classmethod
    def of(cls, part: Part, folder: Path) -> Receipt:
        """The receipt of a part whose result is, or will be, in a folder."""
        return cls(number=part.number, start=part.start, stop=part.stop, path=result_path(folder, part.number))


def result_path(folder: Path, number: int) -> Path:
    """The file that holds the result of part `number`."""
    return folder / f"part-{number:06}"


class Placed(Protocol):
    """A receipt, or what was made of one."""

    @property
    def start(self) -> int:
        """The place of the first item in the list."""

    @property
    def stop(self) -> int:
        """The place after the last."""


P = TypeVar("P", bound=Placed)


def in_order(found: Iterable[P]) -> Iterator[P]:
    """Receipts by their places in the list; those that come early are held back."""
    early: dict[int, P] = {}
    following = 0
    for one in found:
        early[one.start] = one
        while following in early:
            yield (held := early.pop(following))
            following = held.stop
