"""Numbered parts of a long list: what one worker does at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from msgspec import Struct

Items = Callable[[int, int], Sequence[bytes]]
"""The items of a list from one place to before another, such as paths as the file system has them."""

TICKET = b"\0"
"""What parts an item from a note to its reader, which is not shown; no path holds it."""


class Part(Struct, frozen=True, kw_only=True):
    """Some items of a list; its result depends on them alone, so it may be computed twice."""

    number: int
    start: int
    """The place of the first item in the list."""
    items: tuple[bytes, ...]
    deadly: dict[int, str] = {}
    """Place in `items` -> how the processes ended that worked on it alone; such an item is left out of the result."""
    alone: bool = False
    """Whether nothing else runs beside it: if memory does not suffice now, it does not suffice at all."""

    @property
    def stop(self) -> int:
        """The place after the last item in the list."""
        return self.start + len(self.items)


def cut(ranges: Iterable[tuple[int, int]], items: Items) -> Iterator[Part]:
    """A part for each range; the items are asked for when the part is."""
    for number, (start, stop) in enumerate(ranges):
        yield Part(number=number, start=start, items=tuple(items(start, stop)))


def fixed(count: int, size: int) -> Iterator[tuple[int, int]]:
    """Ranges over `count` items that do not depend on who works on them."""
    for start in range(0, count, size):
        yield start, min(start + size, count)


def guided(count: int, workers: int, most: int, edges: int | None = None) -> Iterator[tuple[int, int]]:
    """Ranges over `count` items, at most `most` in each, that get smaller so that all workers end together.

    None of them reaches over a multiple of `edges`.
    """
    start = 0
    while start < count:
        stop = start + max(1, min(most, (count - start) // (4 * workers)))
        if edges is not None:
            stop = min(stop, start - start % edges + edges)
        yield start, stop
        start = stop
