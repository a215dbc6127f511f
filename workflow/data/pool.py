"""Decoding a whole table of files on all cores, with bounded memory.

Thousands of files go to processes, which are started fresh (no fork: threads and BLAS do not survive one) and import
nothing but the decoder. A few large files go to threads: Pillow decodes without the interpreter's lock, and a process
would take as long to start. Each is fed by a thread of its own that takes the next files when it is free, so that
one slow picture holds up nobody.
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
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import NamedTuple, Protocol

from workflow.config import Preprocessing
from workflow.data.worker import Answer, Decoder, Refusal, receive, send
from workflow.errors import EnvironmentFault, WorkflowError

Paths = Callable[[int, int], Sequence[bytes]]
"""The paths of the files from one number to before another."""

_FEW, _FEW_BYTES = 64, 4 * 2**20  # decoded sooner than a process, or even a thread, is worth
_FIRST = 4  # files in the first task
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


class Crew(NamedTuple):
    """Who decodes: one is this thread itself, several are threads or processes."""

    size: int
    processes: bool = False


def spool_path(folder: Path, number: int) -> Path:
    """The spool file of decoder `number`."""
    return folder / f"spool{number}"


def crew_for(files: int, paths: Paths, asked: int | None) -> Crew:
    """As many processes as asked for; else one for each core, or what is sooner done for a few files."""
    if asked is not None:
        return Crew(asked, processes=asked > 1)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if files > _FEW:
        return Crew(cores, processes=cores > 1)
    large = sum(map(_size, paths(0, files))) > _FEW_BYTES
    return Crew(min(cores, files) if large else 1)


def _size(path: bytes) -> int:
    try:
        return Path(os.fsdecode(path)).stat().st_size
    except OSError:  # whoever reads it says what is wrong
        return 0


def decode_all(
    files: int, paths: Paths, *, crew: Crew, folder: Path, preprocessing: Preprocessing, max_pixels: int
) -> Iterator[Result]:
    """Decode files number 0 .. `files`-1, in no particular order.

    Args:
        files: how many there are.
        paths: gives the paths of a range of them.
        crew: who does it.
        folder: where the spool files are made.
        preprocessing: as recorded with the data set.
        max_pixels: larger pictures are refused.

    Raises:
        OSError: a spool cannot be written.
        EnvironmentFault: a process was killed.
    """
    most = max(1, min(_MOST, _MOST_BYTES // math.prod(preprocessing.shape)))
    make = _Process if crew.processes else _Local
    with warnings.catch_warnings(), ExitStack() as stack:
        warnings.simplefilter("ignore")  # Pillow's remarks on odd metadata
        decoders: list[_Asked] = []
        for number in range(crew.size):
            decoders.append(make(spool_path(folder, number), preprocessing, max_pixels))
            stack.callback(decoders[-1].end)
        if crew.size > 1:
            with _Pool(files, paths, decoders, most) as pool:
                yield from pool.results()
            return
        for start in range(0, files, most):
            stop = min(start + most, files)
            yield Result(0, start, stop, decoders[0].ask(paths(start, stop)))


class _Asked(Protocol):
    """Something that decodes files into a spool of its own."""

    def __init__(self, spool: Path, preprocessing: Preprocessing, max_pixels: int) -> None: ...

    def ask(self, paths: Sequence[bytes]) -> Answer: ...

    def end(self) -> None: ...


class _Local:
    """A decoder in this process."""

    def __init__(self, spool: Path, preprocessing: Preprocessing, max_pixels: int) -> None:
        self._spool = spool.open("wb")
        self.ask = Decoder(preprocessing, max_pixels, self._spool).work

    def end(self) -> None:
        with suppress(OSError):  # a full disk was told when it was written
            self._spool.close()


class _Process:
    """A decoder in a process of its own."""

    def __init__(self, spool: Path, preprocessing: Preprocessing, max_pixels: int) -> None:
        self._process = subprocess.Popen(  # noqa: S603  # our own interpreter and module
            [sys.executable, "-P", "-c", _PROGRAM, *sys.path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | _ONE_THREAD,
        )
        self._greeting = [preprocessing.model_dump_json().encode(), os.fsencode(spool), str(max_pixels).encode()]

    def ask(self, paths: Sequence[bytes]) -> Answer:
        tasks, answers = self._process.stdin, self._process.stdout
        if tasks is None or answers is None:
            raise ValueError("a decoding process has no pipes")
        try:
            if self._greeting:
                send(tasks, *self._greeting)
                self._greeting = []
            send(tasks, *paths)
        except BrokenPipeError:
            pass  # what it said before it ended can still be read
        message = receive(answers)
        if message is None:
            raise self._died()
        if len(message) == 1:
            raise OSError(*json.loads(message[0]))
        refusals = [Refusal(*refusal) for refusal in json.loads(message[0])]
        return Answer(refusals, *message[1:])

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(BrokenPipeError):  # what it had not read yet
                    stream.close()

    def _died(self) -> WorkflowError:
        code = self._process.wait()
        if code >= 0:
            return WorkflowError(f"a decoding process ended with exit code {code}", hint="this is a bug in wf")
        name = signal.Signals(-code).name
        return EnvironmentFault(
            f"a decoding process was killed by {name}" + (" (out of memory?)" if name == "SIGKILL" else ""),
            hint="set `workers: 1` under `prepare:` in the settings",
            fault="T13",
        )


class _Pool:
    """A thread for each decoder, and one queue of answers."""

    def __init__(self, files: int, paths: Paths, decoders: Sequence[_Asked], most: int) -> None:
        self._files, self._paths, self._most = files, paths, most
        self._decoders = decoders
        self._next = 0
        self._lock = threading.Lock()
        self._answers: queue.SimpleQueue[Result | BaseException | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._drive, args=(number, decoder), daemon=True)
            for number, decoder in enumerate(decoders)
        ]

    def __enter__(self) -> _Pool:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._next = self._files  # no more tasks
        for decoder in self._decoders:
            if isinstance(decoder, _Process):
                decoder.end()  # nor the end of this one
        for thread in self._threads:
            thread.join()

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

    def _drive(self, number: int, decoder: _Asked) -> None:
        """A thread's work: keep one decoder busy until there are no more files."""
        size = float(_FIRST)
        try:
            while span := self._take(int(size)):
                began = time.perf_counter()
                self._answers.put(Result(number, *span, decoder.ask(self._paths(*span))))
                size *= min(2.0, max(0.25, _SECONDS / (time.perf_counter() - began)))
                size = min(float(self._most), max(1.0, size))
        except BaseException as error:  # whatever it is, the main thread must hear of it rather than wait
            self._answers.put(error)
        else:
            self._answers.put(None)

    def _take(self, size: int) -> tuple[int, int] | None:
        """The next files: from one number to before another."""
        with self._lock:
            start, self._next = self._next, min(self._next + min(size, self._most), self._files)
            return (start, self._next) if start < self._next else None
