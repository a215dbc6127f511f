"""`caffe.Timer`: a stopwatch."""

from __future__ import annotations

import time

import torch


class Timer:
    """Measures from `start` to `stop`, or to now while it runs."""

    def __init__(self) -> None:
        self._started: float | None = None
        self._seconds = 0.0

    def start(self) -> None:
        """Begin again at 0."""
        self._started = _now()

    def stop(self) -> None:
        """Stop the clock and store the time."""
        if self._started is not None:
            self._seconds = _now() - self._started
            self._started = None

    @property
    def ms(self) -> float:
        """Milliseconds."""
        return 1e3 * (self._seconds if self._started is None else _now() - self._started)


def _now() -> float:
    if torch.cuda.is_available():
        torch.cuda.synchronize()  # a GPU works on while Python runs ahead
    return time.perf_counter()
