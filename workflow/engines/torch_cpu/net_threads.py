"""Threads that compute different rows with the same parameters, each in a net of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

import torch

from workflow import allocator
from workflow.engines.torch_cpu.net import Net

T = TypeVar("T")


class NetThreads:
    """A net for the caller's thread, and a copy of it for each of the others.

    Args:
        net: to be trained.
        size: how many threads compute, the caller's one of them.
        threads: all that this process may use; each of these shares its operations among an equal part of them.
    """

    def __init__(self, net: Net, size: int, threads: int) -> None:
        self._nets = [net, *(net.copy() for _ in range(size - 1))]
        self._threads, self._share = threads, max(1, threads // size)
        self._pool = _pool(size - 1, self._share) if size > 1 else None

    def each(self, count: int, work: Callable[[Net, int], T]) -> list[T]:
        """The results of `work` for the numbers 0 .. count - 1, in order; a number always has the same net.

        Raises:
            Exception: what `work` raised.
        """
        size = len(self._nets)

        def some(first: int) -> list[T]:
            return [work(self._nets[first], number) for number in range(first, count, size)]

        if self._pool is None:
            return some(0)
        others = [self._pool.submit(some, first) for first in range(1, size)]
        torch.set_num_threads(self._share)
        try:
            own = some(0)
        finally:
            torch.set_num_threads(self._threads)
            wait(others)
        found = [own, *(one.result() for one in others)]
        return [found[number % size][number // size] for number in range(count)]

    def close(self) -> None:
        """End the threads, and free what their nets hold."""
        if self._pool is not None:
            self._pool.shutdown()
            del self._nets[1:]
            allocator.give_back()


def _pool(size: int, threads: int) -> ThreadPoolExecutor:
    """So many threads, all of them started."""
    there = threading.Barrier(size)

    def begin() -> None:
        torch.get_num_threads()  # PyTorch gives a new thread the process's number when it first needs one
        torch.set_num_threads(threads)
        there.wait()

    pool = ThreadPoolExecutor(size, thread_name_prefix="rows", initializer=begin)
    wait([pool.submit(int) for _ in range(size)])
    return pool
