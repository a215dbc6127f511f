"""Settings of the GNU C library's memory allocator (malloc.h); with another C library nothing happens."""

from __future__ import annotations

import ctypes

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
_kept = {_TRIM_THRESHOLD: 0, _MMAP_THRESHOLD: 0}


def keep_freed(most: int, largest: int) -> None:
    """Keep freed memory for the next time instead of giving it back to the system.

    By default the library learns both limits from what a program frees: how much it takes then depends on what it did
    before. Of several calls the larger limits count.

    Args:
        most: bytes in all, at the end of the heap.
        largest: bytes of a block; a larger one is given back at once, and the next gets its pages one by one, filled
            with zeros. At most 32 MB.
    """
    for parameter, value in ((_MMAP_THRESHOLD, largest), (_TRIM_THRESHOLD, most)):
        if value > _kept[parameter]:
            _kept[parameter] = value
            _set(parameter, value)


def limit_arenas(count: int) -> None:
    """Have this many arenas at most: with one for each thread, what a thread frees is of no use to others."""
    _set(_ARENA_MAX, count)


def give_back() -> None:
    """Give all freed memory back to the system: that of a thread that has ended is of little use to the others."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _set(parameter: int, value: int) -> None:
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(parameter, value)
