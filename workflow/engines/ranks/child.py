"""A trainer on this machine: a process of its own."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass

import msgspec

from workflow.cluster.messages import receive, send
from workflow.engines.ranks.task import SAID_WHY, Task

# -P and an explicit path: never the user's own folder first, always the modules that this process would import
_PROGRAM = """
import sys
sys.path[:] = sys.argv[1:]
from workflow.lean_torch import leave_out_shape_kernels
leave_out_shape_kernels()
from workflow.engines.torch_cpu.trainer import main
main()
"""
GONE = b"gone"
"""What the message begins with that a trainer has ended: how follows, "" if it said so itself."""


@dataclass(frozen=True)
class Message:
    """What a trainer told, see `task`, or that it is gone."""

    rank: int
    parts: list[bytes]


class Child:
    """Starts a trainer; a thread puts what it tells into `told`."""

    def __init__(self, task: Task, told: queue.SimpleQueue[Message]) -> None:
        self.rank = task.rank
        self._process = subprocess.Popen(  # noqa: S603  # our own interpreter and module
            [sys.executable, "-P", "-c", _PROGRAM, *sys.path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"OMP_NUM_THREADS": str(task.threads)},
        )
        self.tell(msgspec.msgpack.encode(task))
        self._thread = threading.Thread(target=self._listen, args=(told,), daemon=True)
        self._thread.start()

    def tell(self, *parts: bytes) -> None:
        """Send a message; one to a process that is gone is dropped."""
        if self._process.stdin is not None:
            with suppress(BrokenPipeError):
                send(self._process.stdin, *parts)

    def end(self) -> None:
        """Kill and reap it."""
        self._process.kill()
        self._process.wait()
        self._thread.join()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(BrokenPipeError):
                    stream.close()

    def _listen(self, told: queue.SimpleQueue[Message]) -> None:
        stream = self._process.stdout
        while stream is not None and (parts := receive(stream)) is not None:
            told.put(Message(self.rank, parts))
        code = self._process.wait()
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        told.put(
            Message(
                self.rank, [GONE, b"" if code in (0, SAID_WHY) else f"trainer {self.rank} ended with {how}".encode()]
            )
        )
