"""Who drives the workers of a crew, wherever they are: it gives them parts, and sorts out what they die of.

Each worker is fed by a thread that takes the next part when it is free, so that a slow part delays no other.

The part of a worker that dies is asked for again. A part at which several have died, or for which memory does not
suffice, waits until all others are done. Then it has the workers for itself: it is halved until the items at which
workers die are alone, and its result is computed without these.
"""

from __future__ import annotations

import logging
import os
import queue
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Self

from msgspec import structs

from workflow.cluster.local import Death, Worker
from workflow.cluster.parts import TICKET, Part
from workflow.cluster.receipt import Receipt
from workflow.errors import EnvironmentFault

_SURE = 2  # deaths at an item alone
_IN_A_ROW = 30  # deaths without a result in between: more than chance brings, so something else kills them
_RESULT = re.compile(r"part-(\d{6,})")

_log = logging.getLogger("workflow")


class Team:
    """Makes workers and ends them all.

    Args:
        new: makes a worker.
        folder: where the results are.
        size: how many workers work at once.
        attempts: deaths at one part before it has to wait.
    """

    def __init__(self, new: Callable[[], Worker], folder: Path, size: int, attempts: int) -> None:
        self._make, self._folder, self._size, self._attempts = new, folder, size, attempts
        self._there = _numbers(folder)
        self._living: list[Worker] = []
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._deaths = 0  # in a row
        self._said: set[str] = set()
        self._spare: Worker | None = None  # while parts are done alone

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        with self._lock:
            living, self._living = self._living, []
        for worker in living:
            worker.end()

    # ---- workers ----

    def _new(self) -> Worker:
        """A worker that has loaded what it needs; deaths before that are no part's."""
        while True:
            with self._lock:
                if self._over.is_set():
                    raise _Over
                worker = self._make()
                self._living.append(worker)
            try:
                said = worker.begin()
            except Death as death:
                self._dead(worker, death, "before it had begun")
                continue
            with self._lock:
                texts, self._said = [one for one in said if one not in self._said], self._said | set(said)
            for text in texts:
                _log.warning("%s", text)
            return worker

    def _dead(self, worker: Worker, death: Death, where: str) -> None:
        """Reap a worker before another is asked.

        Raises:
            EnvironmentFault: too many have died, and nothing came of it.
        """
        self._let_go(worker)
        with self._lock:
            self._deaths += 1
            deaths = self._deaths
        if self._over.is_set():
            raise _Over
        if deaths >= max(_IN_A_ROW, self._size):  # a machine that dies takes all of its workers along
            raise EnvironmentFault(
                f"{deaths} processes in a row were ended ({death}), the last {where}",
                hint="give it more memory; to prepare, set `workers: 1` under `prepare:` in the settings",
                fault="T13",
            ) from death

    def _let_go(self, worker: Worker) -> None:
        worker.end()
        with self._lock:
            if worker in self._living:
                self._living.remove(worker)

    def _ask(self, worker: Worker, part: Part) -> bool:
        """Whether memory sufficed."""
        enough = worker.ask(part)
        self._deaths = 0
        return enough

    def _done(self, part: Part) -> Receipt | None:
        """The receipt of a part that an earlier run has finished."""
        return Receipt.of(part, self._folder) if part.number in self._there else None

    # ---- all parts ----

    def receipts(self, parts: Iterable[Part]) -> Iterator[Receipt]:
        """Of all parts, those that have to wait last."""
        waiting: list[Part] = []
        yield from self._together(iter(parts), waiting) if self._size > 1 else self._one(parts, waiting)
        for part in sorted(waiting, key=lambda one: one.number):
            yield self._alone(part)

    def _one(self, parts: Iterable[Part], waiting: list[Part]) -> Iterator[Receipt]:
        """In the calling thread, or in a single process that it waits for."""
        worker: Worker | None = None
        for part in parts:
            if (receipt := self._done(part)) is not None:
                yield receipt
                continue
            worker, enough = self._tried(worker, part)
            if enough:
                yield Receipt.of(part, self._folder)
            else:
                waiting.append(part)

    def _tried(self, worker: Worker | None, part: Part) -> tuple[Worker | None, bool]:
        """A part given to a worker, and to others after its death; whether there is a result, and who lives."""
        for _ in range(self._attempts):
            worker = worker or self._new()
            try:
                return worker, self._ask(worker, part)
            except Death as death:
                self._dead(worker, death, _name(part))
                worker = None
        return None, False

    def _together(self, parts: Iterator[Part], waiting: list[Part]) -> Iterator[Receipt]:
        """By several workers, a thread for each; none gets far ahead of whoever takes the receipts."""
        answers: queue.Queue[Receipt | BaseException | None] = queue.Queue(4 * self._size)
        threads = [
            threading.Thread(target=self._drive, args=(parts, waiting, answers), daemon=True) for _ in range(self._size)
        ]
        for thread in threads:
            thread.start()
        running = len(threads)
        try:
            while running:
                answer = answers.get()
                if answer is None:
                    running -= 1
                elif isinstance(answer, BaseException):
                    raise answer
                else:
                    yield answer
        finally:
            if running:
                self.__exit__()  # those that compute hear of it by the end of their process
            while any(thread.is_alive() for thread in threads):
                with suppress(queue.Empty):
                    answers.get(timeout=0.01)

    def _drive(
        self, parts: Iterator[Part], waiting: list[Part], answers: queue.Queue[Receipt | BaseException | None]
    ) -> None:
        """The loop of a thread: keep a worker busy until all parts are done."""
        worker: Worker | None = None
        try:
            while (part := self._next(parts)) is not None:
                if (receipt := self._done(part)) is None:
                    worker, enough = self._tried(worker, part)
                    if not enough:
                        waiting.append(part)
                        continue
                    receipt = Receipt.of(part, self._folder)
                answers.put(receipt)
        except _Over:
            pass
        except BaseException as error:  # whatever it is, the main thread must hear of it rather than wait
            answers.put(error)
        if worker is not None and not self._over.is_set():
            self._let_go(worker)  # its place may be what another waits for
        answers.put(None)

    def _next(self, parts: Iterator[Part]) -> Part | None:
        with self._lock:
            return None if self._over.is_set() else next(parts, None)

    # ---- a part for which memory did not suffice, or at which processes died ----

    def _alone(self, part: Part) -> Receipt:
        """A part with nothing beside it; the items at which processes die are left out, with how they ended."""
        if self._spare is None:
            for worker in self._living:
                worker.end()
            self._living.clear()
        part = structs.replace(part, alone=True)
        if self._death(part, tries=1) is not None:
            part = structs.replace(part, deadly=dict(self._deadly(part, 0, len(part.items))))
            if (how := self._death(part, tries=self._attempts)) is not None:
                raise EnvironmentFault(
                    f"processes end {_name(part)} ({how}), though at none of its items alone",
                    hint="give it more memory",
                    fault="T13",
                )
        return Receipt.of(part, self._folder)

    def _deadly(self, part: Part, start: int, stop: int) -> Iterator[tuple[int, str]]:
        """The places of the items at which processes die, by halves, and how they end; no result of a half is kept."""
        single = stop - start == 1
        half = structs.replace(part, start=part.start + start, items=part.items[start:stop])
        how = self._death(half, tries=_SURE if single else 1)
        if how is None:
            Receipt.of(part, self._folder).path.unlink()
        elif single:
            yield start, how
        else:
            middle = (start + stop) // 2
            yield from self._deadly(part, start, middle)
            yield from self._deadly(part, middle, stop)

    def _death(self, part: Part, *, tries: int) -> str | None:
        """How the last of some processes ended that were given a part; None if one of them has done it."""
        how = None
        for _ in range(tries):
            worker, self._spare = self._spare or self._new(), None
            try:
                self._ask(worker, part)
            except Death as death:
                self._dead(worker, death, _name(part))
                how = death.how
            else:
                self._spare = worker
                return None
        return how


class _Over(Exception):
    """The crew is no longer asked for."""


def _name(part: Part) -> str:
    first = part.items[0].partition(TICKET)[0].decode(errors="replace")
    return f"at {first}" if len(part.items) == 1 else f"at one of {len(part.items)} from {first}"


def _numbers(folder: Path) -> set[int]:
    """The parts whose results are in a folder.

    Listed at once: a network file system may remember for a minute that a name it was asked for is not there.
    """
    with suppress(FileNotFoundError):
        return {int(found[1]) for name in os.listdir(folder) if (found := _RESULT.fullmatch(name))}  # noqa: PTH208
    return set()
