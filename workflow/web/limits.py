"""Limits of the server: bytes in memory, waiting pictures, requests of each token."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from workflow.web.errors import Busy, Refused

MIB = 2**20
LARGEST_BODY = 20 * MIB
LARGEST_DOCUMENT = MIB
"""Bytes of a JSON body, at most."""
HEADER_SECONDS = 10.0
"""Seconds in which the header of a request must have arrived."""
BODY_SECONDS = 15.0
"""Seconds that any body may take; a longer one must arrive at `SLOWEST` at least."""
SLOWEST = 32 * 1024
"""Bytes a second."""
RATES = {"bot": (20.0, 100.0), "labeller": (200.0, 2000.0)}
"""Role -> requests a second, and how many at once: a page of a grid asks for hundreds of thumbnails."""


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
        rates: role -> requests a second of one token, and how many of them at once; others are not limited.
    """

    def __init__(
        self, *, memory: int = 64 * MIB, pictures: int = 40, rates: Mapping[str, tuple[float, float]] = RATES
    ) -> None:
        self._memory, self._pictures, self._rates = memory, pictures, rates
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

    def request(self, role: str, token: int) -> None:
        """Count a request of a token.

        Raises:
            Refused: 429, it has used up its rate.
        """
        if role not in self._rates:
            return
        rate, burst = self._rates[role]
        bucket = self._buckets.setdefault(token, Bucket(rate, burst, burst))
        wait = bucket.take(time.monotonic())
        if wait:
            seconds = max(1, round(wait))
            raise Refused(
                429,
                f"this token may send {rate:g} requests a second",
                headers={"Retry-After": str(seconds)},
                hint=f"try again in {seconds} s",
            )
