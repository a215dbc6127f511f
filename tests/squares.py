"""A work for tests: squares of numbers; some items end the process, take a moment, or cannot be computed."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from workflow.cluster.parts import Part, cut
from workflow.cluster.result_file import write_result
from workflow.cluster.work import Task, Work, work
from workflow.errors import DataError


@work("cluster.squares")
class Squares(Work, frozen=True, kw_only=True):
    """Items are numbers, or words that say what goes wrong."""

    log: str = ""
    """A folder where processes leave a file for what they do."""
    start: str = ""
    """What goes wrong before the first part."""

    def begin(self) -> Task:
        if self.start == "dies once" and not (died := Path(self.log, "died")).exists():
            died.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if self.start == "dies":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.start == "fails":
            raise DataError("no such net", hint="look elsewhere", fault="C06")

        def squares(part: Part, out: BinaryIO) -> None:
            if self.log:
                Path(self.log, f"{part.number}-{os.getpid()}-{time.monotonic_ns()}").touch()
            done = []
            for place, item in enumerate(part.items):
                if place in part.deadly:
                    continue
                if item == b"kill":
                    os.kill(os.getpid(), signal.SIGKILL)
                if item == b"segv":
                    os.kill(os.getpid(), signal.SIGSEGV)
                if item == b"memory" and not part.alone:
                    raise MemoryError
                if item == b"disk":
                    raise OSError(28, "No space left on device")
                if item == b"bug":
                    raise KeyError("a bug")
                if item == b"wait":
                    time.sleep(60)
                done.append(int(item) ** 2 if item.isdigit() else -1)
            write_result(out, part.deadly, {"squares": np.array(done)})

        return squares


def numbers_until(over: Callable[[], bool]) -> Iterator[Part]:
    """At least ten parts of the numbers from 0, and more until `over` is true, for five minutes at most."""
    end = time.monotonic() + 300

    def ranges() -> Iterator[tuple[int, int]]:
        start = 0
        while start < 200 or (not over() and time.monotonic() < end):
            yield start, start + 20
            start += 20

    return cut(ranges(), lambda start, stop: [str(number).encode() for number in range(start, stop)])
