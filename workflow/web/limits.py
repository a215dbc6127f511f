"""How much is let in: bytes in memory, pictures that wait, requests by token."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from workflow.web.errors import Busy, Refused

MIB = 2**20
LARGEST_BODY = 20 * MIB
LARGEST_DOCUMENT = MIB
"""Of a JSON body."""
HEADER_SECONDS = 10.0
"""In which the header of a request must have arrived."""
BODY_SECONDS = 15.0
"""In which any body may arrive; a longer one must arrive at `SLOWEST` at least."""
SLOWEST = 32 * 1024
"""Bytes a second."""


@dataclass
class Bucket:
    """A rate with bursts: `burst` tokens, of which `rate` come back each second."""

    rate: float
    burst: float
    left: float
    at: float = field(default_factory=time.monotonic)

    def take(self, now: float) -> float:
        """Take a token: 0 if there was one, else the seconds until there is."""
        self.left = min(self.burst, self.left + (now - self.at) * self.rate)
        self.at = now
        if self.left >= 1:
            self.left -= 1
            return 0.0
        return (1 - self.left) / self.rate


class Limits:
    """Of one application.

    Args:
        memory: bytes of bodies that are held at a time.
        pictures: pictures that wait for an answer at a time.
        rate: requests a second of one token.
        burst: requests of one token at once.
    """

    def __init__(self, *, memory: int = 64 * MIB, pictures: int = 64, rate: float = 20.0, burst: float = 100.0) -> None:
        self._memory, self._pictures, self._rate, self._burst = memory, pictures, rate, burst
        self.held = 0
        self.pending = 0
        self._buckets: dict[int, Bucket] = {}

    @contextmanager
    def body(self, size: int) -> Iterator[None]:
        """Room for a body of `size` bytes.

        Raises:
            Busy: there is not enough.
        """
        if self.held + size > self._memory:
            raise Busy("other large bodies are being received")
        self.held += size
        try:
            yield
        finally:
            self.held -= size

    def check_pictures(self) -> None:
        """Refuse a picture before its body is read.

        Raises:
            Busy: too many wait.
        """
        if self.pending >= self._pictures:
            raise Busy(f"{self.pending} pictures wait for their answers")

    @contextmanager
    def picture(self) -> Iterator[None]:
        """Room for a picture that waits for its answer.

        Raises:
            Busy: too many wait.
        """
        self.check_pictures()
        self.pending += 1
        try:
            yield
        finally:
            self.pending -= 1

    def request(self, token: int) -> None:
        """Count a request of a token.

        Raises:
            Refused: 429, it has used up its rate.
        """
        bucket = self._buckets.get(token)
        if bucket is None:
            bucket = self._buckets[token] = Bucket(self._rate, self._burst, self._burst)
        wait = bucket.take(time.monotonic())
        if wait:
            seconds = max(1, round(wait))
            raise Refused(
                429,
                f"this token may send {self._rate:g} requests a second",
                headers={"Retry-After": str(seconds)},
                hint=f"try again in {seconds} s",
            )
