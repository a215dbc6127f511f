"""A worker of this machine that is a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from workflow.cluster.local import Death
from workflow.cluster.messages import receive, send, unpacked_error
from workflow.cluster.parts import Part
from workflow.cluster.work import Work, packed
from workflow.cluster.worker import BUG, DONE, ERROR, REFUSED

# -P and an explicit path: never the user's own folder first, always the modules that this process would import
PROGRAM = "import sys; sys.path[:] = sys.argv[1:] or sys.path; from workflow.cluster.worker import main; main()"
# glibc gives the memory of a picture or a blob back to the system and asks for it again at the next, unless it may keep
# some; and once one of these is set, it no longer learns by itself which sizes come again and again
_KEEP_MEMORY = {
    "MALLOC_TOP_PAD_": str(2**23),  # bytes
    "MALLOC_MMAP_THRESHOLD_": str(2**25),
    "MALLOC_TRIM_THRESHOLD_": str(2**26),
}
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


class Process:
    """A worker in a process of its own.

    Args:
        work: what it does.
        folder: where the results are made.
    """

    def __init__(self, work: Work, folder: Path) -> None:
        self._helper = Helper(greeting(work, folder), sys.path)

    def begin(self) -> list[str]:
        """See `Worker`."""
        texts: list[str] = msgspec.json.decode(checked(self._helper.begin())[1])
        return texts

    def ask(self, part: Part) -> bool:
        """See `Worker`."""
        return checked(self._helper.tell(msgspec.json.encode(part)))[0] == DONE

    def end(self) -> None:
        """Kill and reap it."""
        self._helper.end()


def greeting(work: Work, folder: Path) -> tuple[bytes, ...]:
    """What a worker is told first."""
    name, settings = packed(work)
    return name.encode(), settings, os.fsencode(folder)


def checked(answer: list[bytes]) -> list[bytes]:
    """The answer of a worker, if it is no error.

    Raises:
        OSError: a result cannot be written.
        WorkflowError: as the work's own.
        RuntimeError: a bug.
    """
    if answer[0] == REFUSED:
        raise OSError(*msgspec.json.decode(answer[1]))
    if answer[0] == ERROR:
        raise unpacked_error(answer[1])
    if answer[0] == BUG:
        raise RuntimeError(f"a worker failed:\n{answer[1].decode()}")
    return answer


class Helper:
    """The process itself; its answers are not looked at.

    Args:
        greeting: see `greeting`.
        path: where it imports from; nothing is where its Python does.
        folder: that it works in; None is this process's own.
    """

    def __init__(self, greeting: Sequence[bytes], path: Sequence[str] = (), folder: str | None = None) -> None:
        self._greeting = greeting
        self._process = subprocess.Popen(  # noqa: S603  # our own interpreter and module
            [sys.executable, "-P", "-c", PROGRAM, *path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=_KEEP_MEMORY | os.environ | _ONE_THREAD,
            cwd=folder,
        )

    def begin(self) -> list[bytes]:
        """Its answer once it has loaded what it needs.

        Raises:
            Death: it has ended.
        """
        return self.tell(*self._greeting)

    def tell(self, *message: bytes) -> list[bytes]:
        """Its answer to a message.

        Raises:
            Death: it has ended.
        """
        tasks, answers = self._process.stdin, self._process.stdout
        if tasks is None or answers is None:
            raise ValueError("a worker has no pipes")
        with suppress(BrokenPipeError):  # what it said before it ended can still be read
            send(tasks, *message)
        answer = receive(answers)
        if answer is None:
            raise Death(self._process.wait())
        return answer

    def end(self) -> None:
        """Kill and reap it."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(BrokenPipeError, ValueError):  # what it had not read yet; a thread reads from it
                    stream.close()
