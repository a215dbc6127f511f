"""Decode a table of files on all cores, with bounded memory.

Thousands of files go to processes, which are started fresh (no fork: threads and BLAS do not survive one) and import
nothing but the decoder. A few large files go to threads: Pillow decodes without the interpreter's lock, and a process
would take as long to start. Each is fed by a thread of its own that takes the next files when it is free, so that
a slow picture delays no other.

A file for which memory does not suffice, and the files of a process that was killed, are tried once more at the end,
one by one with nothing beside them. What fails then is refused by its name, and all the others are there.
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
from typing import NamedTuple, Protocol, Self

import msgspec

from workflow import cores
from workflow.config import Preprocessing
from workflow.data.thumbnails import SIDE
from workflow.data.worker import MEMORY, NO_MEMORY, SKIPPED, Answer, Decoder, Refusal, receive, refused_for_memory, send
from workflow.errors import EnvironmentFault, WorkflowError
from workflow.silence import silenced

Paths = Callable[[int, int], Sequence[bytes]]
"""The paths of the files from one number to before another."""

THUMBNAIL = SIDE * SIDE  # bytes
_FEW, _FEW_BYTES = 64, 4 * 2**20  # decoded sooner than a process, or even a thread, is worth
_FIRST = 4  # files in the first task
_MOST = 256  # files in one task, at most
_MOST_BYTES = 16 * 2**20  # of pixels in one task, at most
_DEATHS = 8  # processes in a row that end at a single file: then something else kills them
_SECONDS = 0.05  # that a task should take: long enough to be worth the talk, short enough for all to end together

# -P and an explicit path: never the user's own folder first, always the modules that this process would import
_PROGRAM = "import sys; sys.path[:] = sys.argv[1:]; from workflow.data.worker import main; main()"
# glibc gives the memory of a decoded picture back to the system and asks for it again at the next, unless some is kept
_KEEP_MEMORY = {"MALLOC_TOP_PAD_": str(2**23)}  # bytes
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


class Result(NamedTuple):
    """The answer about files `start` .. `stop`-1; their pictures are appended to spool number `spool`."""

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
    """As many processes as asked for; else one for each core, or fewer where that is faster for a few files."""
    if asked is not None:
        return Crew(asked, processes=asked > 1)
    available = cores.available()
    if files > _FEW:
        return Crew(available, processes=available > 1)
    large = sum(map(_size, paths(0, files))) > _FEW_BYTES
    return Crew(min(available, files) if large else 1)


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
        EnvironmentFault: one process after the other was killed.
    """
    most = max(1, min(_MOST, _MOST_BYTES // math.prod(preprocessing.shape)))
    left: list[int] = []  # to be tried once more
    # Pillow remarks on odd metadata
    with silenced(), _Decoders(folder, preprocessing, max_pixels, processes=crew.processes) as decoders:
        if crew.size > 1:
            with _Pool(files, paths, decoders, crew.size, most) as pool:
                for result in pool.results():
                    yield from _settled(result, left)
                left += pool.left
        else:
            number, decoder = decoders.make()
            for start in range(0, files, most):
                stop = min(start + most, files)
                yield from _settled(Result(number, start, stop, decoder.ask(paths(start, stop))), left)
        yield from _alone(sorted(left), paths, decoders)


def _settled(result: Result, left: list[int]) -> Iterator[Result]:
    """The result without the files that memory did not suffice for; their numbers are appended to `left`."""
    answer = result.answer
    open_ = [refusal.place for refusal in answer.refusals if refusal.what == MEMORY]
    if not open_:
        yield result
        return
    left += [result.start + place for place in open_]
    refused = {refusal.place: refusal for refusal in answer.refusals}
    edges = [-1, *open_, result.stop - result.start]
    first = 0  # picture
    for begin, end in zip([edge + 1 for edge in edges[:-1]], edges[1:], strict=True):
        mine = [refused[place]._replace(place=place - begin) for place in range(begin, end) if place in refused]
        last = first + end - begin - len(mine)
        part = Answer(
            mine,
            answer.digests[32 * first : 32 * last],
            answer.notes[first:last],
            answer.thumbnails[THUMBNAIL * first : THUMBNAIL * last],
        )
        first = last
        if end > begin:
            yield Result(result.spool, result.start + begin, result.start + end, part)


def _alone(left: Sequence[int], paths: Paths, decoders: _Decoders) -> Iterator[Result]:
    """Files one by one, in a decoder that has the memory for itself."""
    deaths = 0
    number, decoder = decoders.make() if left else (0, None)
    for index in left:
        if decoder is None:
            number, decoder = decoders.make()
        try:
            answer = decoder.ask(paths(index, index + 1))
            deaths = 0
        except _Death as death:
            deaths += 1
            if deaths == _DEATHS:
                raise death.fault(paths(index, index + 1)[0]) from death
            answer = Answer([death.refusal(decoders.max_pixels)], b"", b"", b"")
            decoder = None
        final = [one._replace(what=SKIPPED) if one.what == MEMORY else one for one in answer.refusals]
        yield Result(number, index, index + 1, answer._replace(refusals=final))


class _Death(Exception):
    """A decoding process ended before it had answered."""

    def __init__(self, code: int) -> None:
        self.code = code
        name = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        super().__init__(f"the decoding process ended with {name}")

    def refusal(self, max_pixels: int) -> Refusal:
        """The error for a file at which a decoding process ended."""
        if self.code in (-signal.SIGKILL, NO_MEMORY):
            return refused_for_memory(0, str(self), max_pixels)
        return Refusal(0, SKIPPED, f"cannot be decoded: {self}", "damaged", True)

    def fault(self, path: bytes) -> WorkflowError:
        """The error after repeated failures."""
        message = f"{_DEATHS} decoding processes in a row were ended ({self}), the last at {os.fsdecode(path)}"
        hint = "set `workers: 1` under `prepare:` in the settings, or give it more memory"
        return EnvironmentFault(message, hint=hint, fault="T13")


class _Decoders:
    """Makes decoders, each with a spool of its own, and ends them all."""

    def __init__(self, folder: Path, preprocessing: Preprocessing, max_pixels: int, *, processes: bool) -> None:
        self._folder, self._preprocessing, self.max_pixels = folder, preprocessing, max_pixels
        self._make = _Process if processes else _Local
        self._made: list[_Asked] = []
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for decoder in self._made:
            decoder.end()

    def make(self) -> tuple[int, _Asked]:
        """The next one, with the number of its spool."""
        with self._lock:
            number = len(self._made)
            spool = spool_path(self._folder, number)
            spool.touch()  # the numbers have no gap, even if the process ends at once
            self._made.append(self._make(spool, self._preprocessing, self.max_pixels))
            return number, self._made[-1]


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
            env=_KEEP_MEMORY | os.environ | _ONE_THREAD,
        )
        self._greeting = [msgspec.json.encode(preprocessing), os.fsencode(spool), str(max_pixels).encode()]

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
            raise _Death(self._process.wait())
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


class _Pool:
    """A thread for each decoder, and one queue of answers.

    Attributes:
        left: files whose process ended before it had answered, and those that no process was left for.
    """

    def __init__(self, files: int, paths: Paths, decoders: _Decoders, size: int, most: int) -> None:
        self._files, self._paths, self._most = files, paths, most
        self._decoders = decoders
        self._size = size
        self._next = 0
        self._over = False
        self._lock = threading.Lock()
        self._answers: queue.SimpleQueue[Result | BaseException | None] = queue.SimpleQueue()
        self._running: list[_Asked] = []
        self._threads: list[threading.Thread] = []
        self.left: list[int] = []

    def __enter__(self) -> Self:
        for _ in range(self._size):
            number, decoder = self._decoders.make()
            self._running.append(decoder)
            self._threads.append(threading.Thread(target=self._drive, args=(number, decoder), daemon=True))
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._over = True  # no more tasks
        for decoder in self._running:
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
        self.left += range(self._next, self._files)

    def _drive(self, number: int, decoder: _Asked) -> None:
        """The loop of a thread: keep a decoder busy until all files are done, or it ends."""
        size = float(_FIRST)
        try:
            while span := self._take(int(size)):
                began = time.perf_counter()
                try:
                    self._answers.put(Result(number, *span, decoder.ask(self._paths(*span))))
                except _Death:
                    self.left += range(*span)
                    break
                size *= min(2.0, max(0.25, _SECONDS / (time.perf_counter() - began)))
                size = min(float(self._most), max(1.0, size))
        except BaseException as error:  # whatever it is, the main thread must hear of it rather than wait
            self._answers.put(error)
        else:
            self._answers.put(None)

    def _take(self, size: int) -> tuple[int, int] | None:
        """The next files: from one number to before another."""
        with self._lock:
            if self._over:
                return None
            start, self._next = self._next, min(self._next + min(size, self._most), self._files)
            return (start, self._next) if start < self._next else None
