"""The connection between the first host's process and another host's: messages and signs of life.

from the other host:  HELLO, then TOLD with what its trainer told, and BEAT with whether its user wants to stop
from the first host:  WELCOME or REFUSED, BEGIN with a task, TELL for the trainer, BEAT; at last BYE
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress

from workflow.cluster.messages import receive, send

HELLO, WELCOME, REFUSED, BEGIN, TELL, TOLD, BEAT, BYE = (
    b"hello", b"welcome", b"refused", b"begin", b"tell", b"told", b"beat", b"bye",
)  # fmt: skip

_BEAT = 1.0  # seconds between two signs of life
SILENCE = 20.0
"""Seconds without a sign of life after which the other side is taken for gone."""


class Line:
    """One end of a connection; `send` may be called from several threads."""

    def __init__(self, connection: socket.socket) -> None:
        connection.settimeout(SILENCE)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = connection
        self._in, self._out = connection.makefile("rb"), connection.makefile("wb")
        self._sending = threading.Lock()
        self._over = threading.Event()

    def beat(self, said: Callable[[], bytes] = bytes) -> None:
        """Give signs of life from now on, each with what `said` returns then."""

        def work() -> None:
            while not self._over.wait(_BEAT):
                self.send(BEAT, said())

        threading.Thread(target=work, daemon=True).start()

    def send(self, *parts: bytes) -> None:
        """Send a message; one to a side that is gone is dropped."""
        with self._sending, suppress(OSError, ValueError):
            send(self._out, *parts)

    def receive(self) -> list[bytes] | None:
        """The next message; None where the other side is gone or silent."""
        try:
            return receive(self._in)
        except (OSError, ValueError):
            return None

    def close(self) -> None:
        """Hang up."""
        self._over.set()
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        for one in (self._in, self._out, self._socket):
            with suppress(OSError, ValueError):
                one.close()
