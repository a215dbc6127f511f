"""The one thread of a process that writes to inbox.sqlite.

What several threads want to write at the same time is committed together: a commit waits for the disk, so that a
group of them costs no more than a single one. Each piece of work has a savepoint of its own: when it fails, the
others of its group are committed all the same. Nothing that a piece of work raises ends the thread.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as Late
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from workflow.errors import BusyError
from workflow.inbox.schema import connect, is_fault, translated

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]
"""Reads and writes within a transaction that it neither begins nor ends."""
Write = Callable[[Work[Any]], Any]
"""Runs a piece of work in a transaction, such as `Writer.write`."""

DEADLINE = 20.0
"""Seconds after which a caller gets an error because nothing was acknowledged."""
_GROUP = 64  # pieces of work in a transaction
_CACHE = 2048  # pages of 4 KiB


@dataclass(frozen=True)
class _Job:
    work: Work[Any]
    future: Future[Any] = field(default_factory=Future)


class Writer:
    """Runs pieces of work one after another, durably.

    Args:
        path: inbox.sqlite, with its tables.
        failed: called when a whole transaction was lost; other connections of this process may have the same fault.
    """

    def __init__(self, path: Path, failed: Callable[[], None] = lambda: None) -> None:
        self._path, self._failed = path, failed
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._connection: sqlite3.Connection | None = None
        self._closed = False
        self._gate = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="inbox-writer", daemon=True)
        self._thread.start()

    def submit(self, work: Work[T]) -> Future[T]:
        """Queue a piece of work; its result comes once it is on the disk.

        Raises:
            BusyError: the writer is closed.
        """
        job = _Job(work)
        with self._gate:  # nothing is queued behind the last job, where it would never run
            if self._closed:
                raise BusyError("the inbox is closed: nothing more is saved", hint="start wf serve again")
            self._jobs.put(job)
        return job.future

    def write(self, work: Work[T], timeout: float = DEADLINE) -> T:
        """Run a piece of work; returns its result once it is on the disk.

        Args:
            work: see `Work`.
            timeout: seconds.

        Raises:
            BusyError: it was not acknowledged in time; send it again, labels are known by their key.
            WorkflowError, sqlite3.Error: what the work or the commit raised; nothing of it was saved.
        """
        future = self.submit(work)
        try:
            return future.result(timeout)
        except Late:
            if future.done():  # what the work itself raised
                raise
            future.cancel()
            raise _late(timeout) from None

    def close(self) -> None:
        """Finish what is queued, then end; further work is refused."""
        with self._gate:
            if not self._closed:
                self._closed = True
                self._jobs.put(None)
        self._thread.join()

    # ---- the thread -------------------------------------------------------------------------------------------

    def _run(self) -> None:
        last = False
        while not last:
            jobs = [self._jobs.get()]
            while len(jobs) < _GROUP:
                try:
                    jobs.append(self._jobs.get_nowait())
                except queue.Empty:
                    break
            last = None in jobs
            self._commit([job for job in jobs if job is not None and job.future.set_running_or_notify_cancel()])
        self._drop()

    def _commit(self, jobs: list[_Job]) -> None:
        if not jobs:
            return
        outcomes: list[tuple[Any, BaseException | None]] = []
        try:
            connection = self._open()
            _begin(connection)
            outcomes += [_one(connection, job) for job in jobs]
            connection.execute("COMMIT")
        except BaseException as error:  # no error may end the thread
            self._drop()
            self._failed()
            outcomes = [(None, error)] * len(jobs)
        for job, (value, failure) in zip(jobs, outcomes, strict=True):
            with suppress(Exception):  # a callback of the future's
                if failure is None:
                    job.future.set_result(value)
                else:
                    job.future.set_exception(translated(failure, self._path))

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = connect(self._path, pages=_CACHE)
        return self._connection

    def _drop(self) -> None:
        """Close the connection, which rolls back; the next group opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()


async def acknowledged(future: Future[T], timeout: float = DEADLINE) -> T:
    """Wait for a queued piece of work without blocking a thread; returns its result.

    Raises:
        BusyError, WorkflowError, sqlite3.Error: see `Writer.write`.
    """
    waiting = asyncio.wrap_future(future)  # cancels the work, too, if it has not begun
    await asyncio.wait([waiting], timeout=timeout)
    if not waiting.done():
        waiting.cancel()
        raise _late(timeout)
    return waiting.result()


def _late(timeout: float) -> BusyError:
    return BusyError(f"not acknowledged within {timeout:.0f} s", hint="send it again")


def _begin(connection: sqlite3.Connection) -> None:
    """Begin a transaction that has the right to write from the start, so that it never has to be given up."""
    for pause in (0.01, 0.1, 1.0):
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:  # which waited its time already
                raise
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            time.sleep(pause)  # recovery after a crash, which does not wait
        else:
            return
    connection.execute("BEGIN IMMEDIATE")


def _one(connection: sqlite3.Connection, job: _Job) -> tuple[Any, BaseException | None]:
    """Run one piece of work under a savepoint.

    Raises:
        BaseException: the whole transaction is lost.
    """
    connection.execute("SAVEPOINT work")
    try:
        value = job.work(connection)
    except BaseException as error:
        if is_fault(error) or not connection.in_transaction:  # which SQLite itself may have rolled back
            raise
        connection.execute("ROLLBACK TO work")
        connection.execute("RELEASE work")
        return None, error
    connection.execute("RELEASE work")
    return value, None
