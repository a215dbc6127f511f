"""The net that answers: one thread runs it on all waiting pictures together.

Another thread follows the live snapshot; preparing and training a generation changes nothing until its snapshot is
live.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workflow.errors import WorkflowError
from workflow.web.errors import Refused

if TYPE_CHECKING:
    from workflow.api import Project
    from workflow.api.judging import Judgement, Judging

_log = logging.getLogger("workflow")
_BATCH = 64
_SECONDS = 1.0  # between two looks at which snapshot is live
_KEPT = 2  # nets beside the live one, for requests that name a snapshot


class _Waiting(NamedTuple):
    net: Judging
    pixels: NDArray[np.uint8]
    answer: asyncio.Future[Judgement]


class Judge:
    """Labels pictures with the live snapshot.

    Args:
        project: whose snapshots answer.
        reference: the snapshot that answers; None follows the live one.
    """

    def __init__(self, project: Project, reference: str | None = None) -> None:
        self._project, self._reference = project, reference
        self._net: Judging | None = None
        self._known: object = None
        self._trouble: WorkflowError | None = None
        self._others: OrderedDict[str, Judging] = OrderedDict()
        self._loading = threading.Lock()
        self._waiting: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self.changed: Callable[[str], None] = lambda _: None
        """Called, in the event loop, with the name of the snapshot that answers from now on."""

    def start(self) -> None:
        """Start to answer, in the running event loop."""
        self._loop = asyncio.get_running_loop()
        for run in (self._run, self._follow):
            self._threads.append(threading.Thread(target=run, name=f"judge {run.__name__}", daemon=True))
            self._threads[-1].start()

    def close(self) -> None:
        """Stop; waiting pictures are not answered."""
        self._over.set()
        self._waiting.put(None)
        for thread in self._threads:
            thread.join()

    @property
    def name(self) -> str | None:
        """The snapshot that answers; None while there is none."""
        return None if self._net is None else self._net.name

    @property
    def now(self) -> Judging | None:
        """The net that answers; None while there is none."""
        return self._net

    async def net(self, reference: str | None = None) -> Judging:
        """The net that answers now, or the one that is named.

        Args:
            reference: one of the project's snapshots: `gen5/iter_6000`.

        Raises:
            Refused: 404 no such snapshot; 409 the project has no snapshot yet.
        """
        if reference is not None:
            return await asyncio.to_thread(self._named, reference)
        if self._net is None:
            await asyncio.to_thread(self.refresh)
        if self._net is None:
            trouble = self._trouble
            raise Refused(
                409,
                trouble.message if trouble else "no snapshot answers yet",
                hint=trouble.hint if trouble else None,
                fault=trouble.fault if trouble else "",
            )
        return self._net

    async def label(self, net: Judging, pixels: NDArray[np.uint8]) -> Judgement:
        """The answer for one picture.

        Args:
            net: see `net`.
            pixels: uint8 (C, H, W), made with the net's own preprocessing.

        Raises:
            NetError, ModelError: the net gives no classes, or no numbers.
        """
        answer: asyncio.Future[Judgement] = asyncio.get_running_loop().create_future()
        self._waiting.put(_Waiting(net, pixels, answer))
        return await answer

    def refresh(self) -> None:
        """Load the live snapshot, if it is not the one that answers; keep that one where it cannot be loaded."""
        with self._loading:
            try:
                self._load()
                self._trouble = None
            except WorkflowError as error:
                if self._trouble is None or self._trouble.message != error.message:
                    _log.warning("%s", error.message)
                self._trouble = error

    # ---- in the threads

    def _load(self) -> None:
        reference = self._reference
        weights = None
        if reference is None:
            live = self._project.live().found.reference
            reference, weights = live.name, live.weights
        known = (reference, None if weights is None else _stamp(weights))
        if known == self._known:
            return
        before = self._net
        self._net, self._known = self._project.snapshot(reference, tell=False).judging(), known
        self._others.clear()
        name = self._net.name
        if self._loop is not None and (before is None or before.name != name):
            with suppress(RuntimeError):  # the server has ended
                self._loop.call_soon_threadsafe(lambda: self.changed(name))

    def _named(self, reference: str) -> Judging:
        with self._loading:
            if self._net is not None and self._net.name == reference:
                return self._net
            if reference in self._others:
                self._others.move_to_end(reference)
                return self._others[reference]
            if reference not in self._project.snapshots:
                raise Refused(
                    404, f"no snapshot '{reference[:200]}'", hint="GET /api/generations lists them", fault="C06"
                )
            net = self._project.snapshot(reference, tell=False).judging()
            self._others[reference] = net
            while len(self._others) > _KEPT:
                self._others.popitem(last=False)
            return net

    def _follow(self) -> None:
        """Look, every second, whether another snapshot is live."""
        seen: object = None
        while not self._over.is_set():
            now = self._fingerprint()
            if now != seen:
                seen = now
                try:
                    self.refresh()
                except Exception:  # a thread that ends would follow no more
                    _log.exception("cannot look at which snapshot is live")
            if self._over.wait(_SECONDS):
                return

    def _fingerprint(self) -> object:
        """Changes when a record, or what is pinned, does."""
        home = self._project.config.generations
        return _stamp(home / "live.json"), tuple(_stamp(path) for path in sorted(home.glob("gen*/generation.json")))

    def _run(self) -> None:
        """Answer what waits, together what is for the same net."""
        while (first := self._waiting.get()) is not None:
            batch = [first]
            while len(batch) < _BATCH:
                try:
                    more = self._waiting.get_nowait()
                except queue.Empty:
                    break
                if more is None:
                    return
                batch.append(more)
            for net in dict.fromkeys(one.net for one in batch):
                self._answer(net, [one for one in batch if one.net is net])

    def _answer(self, net: Judging, asked: list[_Waiting]) -> None:
        found: list[Judgement] | Exception
        try:
            found = net.label([one.pixels for one in asked])
        except Exception as error:  # raised to those who asked; the thread goes on
            found = error

        def settle() -> None:
            for index, one in enumerate(asked):
                if one.answer.done():  # the sender is gone
                    continue
                if isinstance(found, Exception):
                    one.answer.set_exception(found)
                else:
                    one.answer.set_result(found[index])

        if self._loop is not None:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(settle)


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """Changes when a file is replaced or written; None without it."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
