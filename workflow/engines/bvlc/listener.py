"""Read a worker's output in a thread, so its pipe never fills, and keep a bounded part of it."""

from __future__ import annotations

import re
import threading
import time
from collections import deque
from typing import BinaryIO

KEPT = 500_000
"""The number of lines kept until they are read; older ones are dropped."""

TAIL = 400
"""Lines that are kept to explain why the worker ended."""

LONGEST = 1 << 16
"""Bytes after which a line without an end is cut."""

_MARK = re.compile(r"\x1ewf (\d+)$")


class Listener(threading.Thread):
    """Collects the lines of one stream. A mark (byte 1e, then `wf N`) is printed before reply N."""

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__(name="caffe's log", daemon=True)
        self._stream = stream
        self._news = threading.Condition()
        self._lines: deque[str] = deque(maxlen=KEPT)
        self._tail: deque[str] = deque(maxlen=TAIL)
        self._reached = -1
        self._ended = False
        self.start()

    def run(self) -> None:
        """Read to the end; the pipe's other side is closed by the worker's death."""
        try:
            while data := self._stream.readline(LONGEST):
                self._take(data.decode("utf-8", "replace").rstrip("\r\n"))
        finally:
            with self._news:
                self._ended = True
                self._news.notify_all()

    def lines_until(self, mark: int, timeout: float) -> list[str]:
        """The lines since the last call, once mark number `mark` is read (or the stream has ended)."""
        end = time.monotonic() + timeout
        with self._news:
            while self._reached < mark and not self._ended and time.monotonic() < end:
                self._news.wait(end - time.monotonic())
            lines = list(self._lines)
            self._lines.clear()
            return lines

    def tail(self, timeout: float) -> list[str]:
        """The last lines of a stream that is ending; waits for its end, up to a limit."""
        self.join(timeout)
        with self._news:
            return list(self._tail)

    def _take(self, line: str) -> None:
        mark = _MARK.search(line)
        text = line[: mark.start()] if mark else line
        with self._news:
            if text or not mark:  # another thread's words may stand before a mark
                self._lines.append(text)
                self._tail.append(text)
            if mark:
                self._reached = int(mark[1])
                self._news.notify_all()
