"""Decoding processes: pictures from strangers are decoded there, and a death costs one answer.

Each process is driven by a thread. The first also decodes large pictures, one at a time; the others hand them back, so
that small pictures never wait for a large one.
"""

from __future__ import annotations

import asyncio
import json
import os
import select
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from workflow.cluster.messages import receive, send
from workflow.config import Preprocessing
from workflow.data.pictures import OUT_OF_MEMORY
from workflow.data.sniff import PictureError, sniff
from workflow.web.errors import Busy, Refused

_PROGRAM = "import sys; sys.path[:] = sys.argv[1:]; from workflow.web.decoder_process import main; main()"
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
_SECONDS = 10.0  # that one picture may take
_START_SECONDS = 30.0  # that a process may take to start on a busy machine
_PIPE = 2**20  # bytes that a pipe holds, where the system lets us choose: most pictures are sent at once
_MOST_LARGE = 4  # large pictures that wait; with more, the sender is asked to come back
_STATUS = {"too large": 413, OUT_OF_MEMORY: 413}


class Decoded(NamedTuple):
    """A picture as a net sees it, and the facts in its file's header."""

    pixels: NDArray[np.uint8]
    """(C, H, W)."""
    format: str
    width: int
    """Width of the file, before it is turned upright."""
    height: int


class _Task(NamedTuple):
    parts: tuple[bytes, bytes, bytes]
    """The kind, the argument and the data of the task."""
    answer: asyncio.Future[tuple[dict[str, Any], bytes]]


class Decoders:
    """Some processes, and the tasks that wait for them.

    Args:
        size: how many processes.
        seconds: that one picture may take.
        warm: start the processes now, and not for the first pictures.
    """

    def __init__(self, size: int = 2, *, seconds: float = _SECONDS, warm: bool = False) -> None:
        self._small: deque[_Task] = deque()
        self._large: deque[_Task] = deque()
        self._changed = threading.Condition()
        self._over = False
        self._seconds, self._warm = seconds, warm
        self.processes: list[Process | None] = [None] * size
        self._loop = asyncio.get_running_loop()
        self._threads = [
            threading.Thread(target=self._drive, args=(number,), name=f"decoder {number}", daemon=True)
            for number in range(size)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def waiting(self) -> int:
        """How many pictures wait."""
        return len(self._small) + len(self._large)

    async def pixels(self, data: bytes, preprocessing: Preprocessing) -> Decoded:
        """A picture as a net sees it.

        Raises:
            Refused: 413, 415 or 422: it is too large, of another kind, or damaged.
            Busy: too many large pictures wait.
        """
        facts, raw = await self._ask(b"pixels", msgspec.json.encode(preprocessing), data)
        pixels = np.frombuffer(raw, np.uint8).reshape(facts["shape"])
        return Decoded(pixels, facts["format"], facts["width"], facts["height"])

    async def thumbnail(self, data: bytes, side: int) -> bytes:
        """A picture as a PNG or JPEG of at most `side` x `side` pixels, upright and without metadata.

        Raises:
            Refused, Busy: as `pixels`.
        """
        return (await self._ask(b"thumbnail", str(side).encode(), data))[1]

    def close(self) -> None:
        """End the processes; what waits is not answered."""
        with self._changed:
            self._over = True
            self._changed.notify_all()
        for process in self.processes:
            if process is not None:
                process.end()
        for thread in self._threads:
            thread.join()

    async def _ask(self, kind: bytes, argument: bytes, data: bytes) -> tuple[dict[str, Any], bytes]:
        task = _Task((kind, argument, data), self._loop.create_future())
        with self._changed:
            self._small.append(task)
            self._changed.notify()
        return await task.answer

    # ---- in the threads

    def _drive(self, number: int) -> None:
        if self._warm:
            with suppress(Exception):  # it is tried again for the first picture
                self._started(number)
        while (task := self._take(large=number == 0)) is not None:
            if task.answer.cancelled():
                continue
            try:
                self._work(number, task)
            except Exception as error:  # whatever it is, it costs this answer alone
                self._settle(task, error)

    def _take(self, *, large: bool) -> _Task | None:
        """The next task, large ones first; None at the end."""
        with self._changed:
            while not self._over:
                if large and self._large:
                    return self._large.popleft()
                if self._small:
                    return self._small.popleft()
                self._changed.wait()
            return None

    def _started(self, number: int) -> Process:
        """The process of a thread; a new one where it died."""
        process = self.processes[number]
        if process is None:
            process = self.processes[number] = Process()
            if self._over:
                process.end()
        return process

    def _work(self, number: int, task: _Task) -> None:
        kind, argument, data = task.parts
        large = b"1" if number == 0 else b"0"
        try:
            facts, result = self._started(number).ask((kind, argument, large, data), self._seconds)
        except Death as death:
            self.processes[number] = None
            raise Refused(422, f"the picture cannot be decoded: {death}", fault="P07") from death
        match facts["state"]:
            case "done":
                self._settle(task, (facts, result))
            case "postponed":
                self._postpone(task)
            case _:
                raise refusal(facts)

    def _postpone(self, task: _Task) -> None:
        """Leave a large picture to the first process."""
        with self._changed:
            full = len(self._large) >= _MOST_LARGE
            if not full:
                self._large.append(task)
                self._changed.notify_all()
        if full:
            raise Busy("other large pictures are being decoded")

    def _settle(self, task: _Task, result: tuple[dict[str, Any], bytes] | Exception) -> None:
        def settle() -> None:
            if task.answer.done():  # the sender is gone
                return
            if isinstance(result, Exception):
                task.answer.set_exception(result)
            else:
                task.answer.set_result(result)

        with suppress(RuntimeError):  # the server has ended
            self._loop.call_soon_threadsafe(settle)


def format_of(data: bytes) -> str:
    """The format that a file's bytes begin as; see `data.sniff`.

    Raises:
        Refused: 415, it is no picture.
    """
    try:
        return sniff(data)
    except PictureError as error:
        raise refusal(vars(error)) from None


def refusal(facts: Mapping[str, Any]) -> Refused:
    """The answer to the sender of a picture that was refused: 413, 422 for a damaged one, 415 for another kind."""
    status = _STATUS.get(facts["kind"], 422 if facts["bad"] and facts["fault"] == "P07" else 415)
    return Refused(status, f"the picture {facts['reason']}", fault=facts["fault"])


class Death(Exception):
    """A decoding process ended, or was ended, before it had answered."""


class Process:
    """A decoding process; see `decoder_process`."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(  # noqa: S603  # our own interpreter and module
            [sys.executable, "-P", "-c", _PROGRAM, *sys.path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pipesize=_PIPE,
            env=os.environ | _ONE_THREAD,
        )
        self.pid = self._process.pid
        self._answer(_START_SECONDS)

    def ask(self, parts: Sequence[bytes], seconds: float) -> tuple[dict[str, Any], bytes]:
        """Send a task and wait for the answer.

        Raises:
            Death: the process ended, or took too long and was ended.
        """
        if self._process.stdin is None:
            raise ValueError("a decoding process has no pipes")
        with suppress(BrokenPipeError):
            send(self._process.stdin, *parts)
        facts, result = self._answer(seconds)
        return json.loads(facts), result

    def _answer(self, seconds: float) -> list[bytes]:
        if self._process.stdout is None:
            raise ValueError("a decoding process has no pipes")
        ready, _, _ = select.select([self._process.stdout], [], [], seconds)
        message = receive(self._process.stdout) if ready else None
        if message is None:
            self.end()
            raise Death("the decoder ended" if ready else f"it takes longer than {seconds:g} seconds")
        return message

    def end(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(BrokenPipeError):
                    stream.close()
