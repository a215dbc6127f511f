"""How rarely a process that wf starts looks for garbage: memory that only a circle of objects still refers to."""

from __future__ import annotations

import atexit
import gc


def collect_rarely() -> None:
    """Look for garbage after many new objects, and not at the end.

    Importing makes many objects and no garbage: looking for some took 6 % of a short command. Python looks again while
    it ends, several times, and with PyTorch imported each look takes as long as 0.2 s; the memory goes back to the
    system anyway. Files are closed and temporary folders removed as ever: no circle of objects holds them.
    """
    gc.set_threshold(100_000)
    atexit.register(gc.freeze)
