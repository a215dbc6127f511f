"""Decoding a whole table of files, in this process or in several, with bounded memory.

The processes are started fresh (no fork: threads and BLAS do not survive one) and import nothing but the decoder.
Each is fed by a thread of its own that takes the next files when it is free, so that one slow picture holds up nobody.
"""

from __future__ import annotations

import json
import math
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from workflow.config import Preprocessing
from workflow.data.worker import Answer, Decoder, Refusal, receive, send
from workflow.errors import EnvironmentFault, WorkflowError

Paths = Callable[[int, int], Sequence[bytes]]
"""The paths of the files from one number to before another."""

_FEW, _FEW_BYTES = 64, 4 * 2**20  # decoded sooner than a process is started
_MOST = 256  # files in one task, at most
_MOST_BYTES = 16 * 2**20  # of pixels in one task, at most
_SECONDS = 0.05  # that a task should take: long enough to be worth the talk, short enough for all to end together

# -P and an explicit path: never the user's own folder first, always the modules that this process would import
_PROGRAM = "import sys; sys.path[:] = sys.argv[1:]; from workflow.data.worker import main; main()"
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


class Result(NamedTuple):
    """The answer about the files `start` .. `stop`-1; their pictures lie in spool number `spool`, after its others."""

    spool: int
    start: int
    stop: int
    answer: Answer


def spool_path(folder: Path, number: int) -> Path:
    """The spool file of decoder `number`."""
    return folder / f"spool{number}"


def how_many(files: int, paths: Paths, asked: int | None) -> int:
    """How many decoders to use: as many as asked for, else one for each core, but one where that is soon done."""
    if asked is not None:
        return asked
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if files <= _FEW and sum(map(_size, paths(0, files))) <= _FEW_BYTES:
        return 1
    return min(cores, max(1, files))


def _size(path: bytes) -> int:
    try:
        return Path(os.fsdecode(path)).stat().st_size
    except OSError:  # whoever reads it says what is wrong
        return 0


def decode_all(
    files: int, paths: Paths, *, workers: int, folder: Path, preprocessing: Preprocessing, max_pixels: int
) -> Iterator[Result]:
    """Decode files number 0 .. `files`-1, in no particular order.

    Args:
        files: how many there are.
        paths: gives the paths of a range of them.
        workers: decoders; one is this process itself.
        folder: where the spool files are made.
        preprocessing: as recorded with the data set.
        max_pixels: larger pictures are refused.

    Raises:
        OSError: a spool cannot be written.
        EnvironmentFault: a process was killed.
    """
    most = max(1, min(_MOST, _MOST_BYTES // math.prod(preprocessing.shape)))
    if workers > 1:
        with _Pool(files, paths, workers, folder, preprocessing, max_pixels, most) as pool:
            yield from pool.results()
        return
    with spool_path(folder, 0).open("wb") as spool:
        decoder = Decoder(preprocessing, max_pixels, spool)
        for start in range(0, files, most):
            stop = min(start + most, files)
            yield Result(0, start, stop, decoder.work(paths(start, stop)))


class _Pool:
    """Processes, their threads, and one queue of answers."""

    def __init__(
        self,
        files: int,
        paths: Paths,
        workers: int,
        folder: Path,
        preprocessing: Preprocessing,
        max_pixels: int,
        most: int,
    ) -> None:
        self._files, self._paths, self._most = files, paths, most
        self._next = 0
        self._lock = threading.Lock()
        self._answers: queue.SimpleQueue[Result | BaseException | None] = queue.SimpleQueue()
        settings = preprocessing.model_dump_json().encode()
        self._processes = [_start() for _ in range(workers)]
        self._threads = []
        for number, process in enumerate(self._processes):
            greeting = (settings, os.fsencode(spool_path(folder, number)), str(max_pixels).encode())
            thread = threading.Thread(target=self._drive, args=(number, process, greeting), daemon=True)
            self._threads.append(thread)

    def __enter__(self) -> _Pool:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.kill()  # after an orderly end they are gone already
        for thread in self._threads:
            thread.join()
        for process in self._processes:
            process.wait()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    with suppress(BrokenPipeError):  # what it had not read yet
                        stream.close()

    def results(self) -> Iterator[Result]:
        """The answers as they come in."""
        running = len(self._threads)
        while running:
            result = self._answers.get()
            if result is None:
                running -= 1
            elif isinstance(result, BaseException):
                raise result
            else:
                yield result

    def _drive(self, number: int, process: subprocess.Popen[bytes], greeting: tuple[bytes, ...]) -> None:
        """A thread's work: keep one process busy until there are no more files."""
        try:
            self._talk(number, process, greeting)
        except BaseException as error:  # whatever it is, the main thread must hear of it rather than wait
            self._answers.put(error)
        else:
            self._answers.put(None)

    def _talk(self, number: int, process: subprocess.Popen[bytes], greeting: tuple[bytes, ...]) -> None:
        tasks, answers = process.stdin, process.stdout
        if tasks is None or answers is None:
            raise ValueError("a decoding process has no pipes")
        try:
            send(tasks, *greeting)
            size = 16.0
            while span := self._take(int(size)):
                began = time.perf_counter()
                send(tasks, *self._paths(*span))
                self._answers.put(Result(number, *span, _answer(receive(answers))))
                size *= min(2.0, max(0.25, _SECONDS / (time.perf_counter() - began)))
                size = min(float(self._most), max(1.0, size))
            tasks.close()
        except (BrokenPipeError, EOFError):
            last_words = receive(answers)
            if last_words is not None:
                _answer(last_words)
            raise _died(process) from None

    def _take(self, size: int) -> tuple[int, int] | None:
        """The next files: from one number to before another."""
        with self._lock:
            start, self._next = self._next, min(self._next + min(size, self._most), self._files)
            return (start, self._next) if start < self._next else None


def _start() -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603  # our own interpreter and module
        [sys.executable, "-P", "-c", _PROGRAM, *sys.path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | _ONE_THREAD,
    )


def _answer(message: list[bytes] | None) -> Answer:
    if message is None:
        raise EOFError
    if len(message) == 1:
        raise OSError(*json.loads(message[0]))
    refusals = [Refusal(*refusal) for refusal in json.loads(message[0])]
    return Answer(refusals, *message[1:])


def _died(process: subprocess.Popen[bytes]) -> WorkflowError:
    code = process.wait()
    if code >= 0:
        return WorkflowError(f"a decoding process ended with exit code {code}", hint="this is a bug in wf")
    name = signal.Signals(-code).name
    return EnvironmentFault(
        f"a decoding process was killed by {name}" + (" (out of memory?)" if name == "SIGKILL" else ""),
        hint="set `workers: 1` under `prepare:` in the settings",
        fault="T13",
    )
