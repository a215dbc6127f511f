"""Server-sent events: what happens, for every page that listens."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from workflow.web.errors import Busy

_KEPT = 1000  # events that a page can still get after it was away
_MOST = 64  # pages that listen
_HEARTBEAT = 15.0  # seconds of silence, after which a comment shows that the connection lives


class _Event(NamedTuple):
    number: int
    text: bytes


class Hub:
    """Sends events to those who listen. Belongs to one event loop."""

    def __init__(self) -> None:
        self._run = secrets.token_hex(4)
        self._kept: deque[_Event] = deque(maxlen=_KEPT)
        self._number = 0
        self._news = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._over = False
        self.listeners = 0

    def publish(self, name: str, data: Mapping[str, Any]) -> None:
        """Tell all who listen.

        Args:
            name: `job`, `judged`, `label`, `generation` or `metrics`.
            data: JSON's own types.
        """
        self._number += 1
        text = f"id: {self._run}.{self._number}\nevent: {name}\ndata: {json.dumps(data)}\n\n"
        self._kept.append(_Event(self._number, text.encode()))
        self._wake()

    def publish_soon(self, name: str, data: Mapping[str, Any]) -> None:
        """`publish`, from any thread."""
        with suppress(RuntimeError):  # the server has ended
            self._loop.call_soon_threadsafe(self.publish, name, data)

    def close(self) -> None:
        """End all streams."""
        self._over = True
        self._wake()

    def listen(self, after: str | None = None) -> AsyncIterator[bytes]:
        """A stream for one listener.

        Args:
            after: the id of the last event that it got, `Last-Event-ID`; events of an earlier run are gone.

        Raises:
            Busy: too many listen.
        """
        if self.listeners >= _MOST:
            raise Busy(f"{self.listeners} pages listen already", seconds=5)
        run, _, number = (after or "").partition(".")
        known = run == self._run and number.isascii() and number.isdigit()
        return self._stream(int(number[:12]) if known else self._number)

    async def _stream(self, seen: int) -> AsyncIterator[bytes]:
        self.listeners += 1
        try:
            yield b"retry: 2000\n\n"
            while not self._over:
                news = self._news
                for event in [one for one in self._kept if one.number > seen]:
                    seen = event.number
                    yield event.text
                if news is not self._news:  # while that was sent
                    continue
                try:
                    await asyncio.wait_for(news.wait(), _HEARTBEAT)
                except TimeoutError:
                    yield b": still here\n\n"
        finally:
            self.listeners -= 1

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()
