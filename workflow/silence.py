"""Ignore Python warnings of other packages while something runs, safely with threads."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_inside = 0
_outside: warnings.catch_warnings[None] | None = None


@contextmanager
def silenced() -> Iterator[None]:
    """Ignore warnings until the block ends.

    The filters belong to the process. `warnings.catch_warnings` alone puts back what it found, so of two threads that
    overlap the last would put back the other's "ignore" for good; here the first in changes them and the last out
    puts them back.
    """
    _enter()
    try:
        yield
    finally:
        _leave()


def _enter() -> None:
    global _inside, _outside
    with _lock:
        if not _inside:
            _outside = warnings.catch_warnings()
            _outside.__enter__()
            warnings.simplefilter("ignore")
        _inside += 1


def _leave() -> None:
    global _inside, _outside
    with _lock:
        _inside -= 1
        if not _inside and _outside is not None:
            _outside.__exit__(None, None, None)
            _outside = None
