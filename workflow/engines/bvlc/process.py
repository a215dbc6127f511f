"""A worker process that runs real Caffe: start it, send requests, and end it in every case."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import struct
import subprocess
import time
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self, cast

import numpy as np

from workflow.engines.base import Array
from workflow.engines.bvlc.death import explain
from workflow.engines.bvlc.listener import Listener
from workflow.errors import EngineMissing, EnvironmentFault, WorkflowError

WORKER = Path(__file__).with_name("worker.py")

START_SECONDS = 120.0
"""For Python to start and import Caffe, on a cold and busy machine."""

ANSWER_SECONDS = 3600.0
"""For any other request: an hour is a hang, not work."""

DEATH_SECONDS = 10.0
"""For a dying process to be gone and its last words to be read."""

_FOREIGN = ("PYTHON", "GLOG_", "OPENBLAS_", "GOTO_", "OMP_", "MKL_")
"""Environment variables meant for other programs, which would change what this one computes or prints."""


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What a worker answered and printed."""

    fields: Mapping[str, Any]
    arrays: Sequence[tuple[str, Array]]
    lines: Sequence[str]


class Worker:
    """A context manager around one worker process, in a session of its own so that Ctrl-C does not reach it."""

    def __init__(self, python: Path, *, folder: Path, threads: int = 1) -> None:
        """Start it.

        Args:
            python: Caffe's own Python.
            folder: its current folder, which paths in prototxt files are relative to.
            threads: of OpenBLAS; 1 is the fastest setting for small nets.

        Raises:
            EngineMissing: that Python cannot be started.
        """
        if not folder.is_dir():
            raise EnvironmentFault(f"no such folder: {folder}", fault="T16")
        self._number = 0
        ours, theirs = socket.socketpair()
        reader, writer = os.pipe()  # the worker dies when `writer` is closed, by us or with us
        try:
            process = subprocess.Popen(  # noqa: S603 - our own worker, under the Python that the user installed
                [str(python), "-I", str(WORKER), str(theirs.fileno()), str(reader)],
                pass_fds=(theirs.fileno(), reader),
                cwd=folder,
                env=_environment(threads),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            ours.close()
            os.close(writer)
            raise EngineMissing(f"cannot start {python}: {error.strerror}", hint="scripts/install_caffe") from error
        finally:
            theirs.close()
            os.close(reader)
        self._process = process
        self._channel = ours
        self._listener = Listener(cast(BinaryIO, process.stdout))
        self._end = weakref.finalize(self, _end, process, ours, writer, self._listener)

    @property
    def pid(self) -> int:
        """Of the process, which is also the number of its group and session."""
        return self._process.pid

    def request(
        self,
        command: str,
        *,
        arrays: Sequence[tuple[str, Array]] = (),
        blame: type[WorkflowError] = WorkflowError,
        timeout: float = ANSWER_SECONDS,
        **fields: object,
    ) -> Reply:
        """Send a request and wait for the answer; any failure except a Python exception ends the process.

        Args:
            command: a method of the worker.
            arrays: (name, float32 array) pairs that it gets.
            blame: class of the error when Caffe refuses.
            timeout: seconds after which it counts as hung.
            fields: the method's arguments.

        Raises:
            WorkflowError: of class `blame`, or according to how the worker ended.
        """
        if not self._end.alive:
            raise EnvironmentFault("caffe's process has ended already", hint="open the net again")
        self._number += 1
        deadline = time.monotonic() + timeout
        try:
            self._send({"command": command, "id": self._number, **fields}, arrays, deadline)
            answer, results = self._receive(deadline)
            lines = self._listener.lines_until(self._number, max(1.0, deadline - time.monotonic()))
        except TimeoutError:
            self.close()
            raise EnvironmentFault(f"caffe did not answer '{command}' within {timeout:.0f} s", fault="T13") from None
        except (EOFError, OSError):
            raise self._died(blame) from None
        except BaseException:  # Ctrl-C in the middle of a frame: nothing sensible can follow on this channel
            self.close()
            raise
        if "error" in answer:
            kind, words = answer["error"]
            failed = EnvironmentFault if kind == "MemoryError" else blame
            raise failed(f"real Caffe rejects '{command}': {kind}: {words}")
        return Reply(fields=answer, arrays=results, lines=lines)

    def close(self) -> None:
        """End the process, and what it forked, at once; closing twice is fine."""
        self._end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # ---- frames; worker.py describes them ----

    def _send(self, fields: Mapping[str, object], arrays: Sequence[tuple[str, Array]], deadline: float) -> None:
        blocks = [np.ascontiguousarray(array, np.float32).reshape(np.shape(array)) for _, array in arrays]
        shapes = [[name, list(block.shape)] for (name, _), block in zip(arrays, blocks, strict=True)]
        text = json.dumps({**fields, "arrays": shapes}).encode()
        for part in (struct.pack(">I", len(text)) + text, *(block.tobytes() for block in blocks)):
            self._channel.settimeout(max(0.001, deadline - time.monotonic()))
            self._channel.sendall(part)

    def _receive(self, deadline: float) -> tuple[dict[str, Any], list[tuple[str, Array]]]:
        size: int = struct.unpack(">I", self._bytes(4, deadline))[0]
        fields: dict[str, Any] = json.loads(self._bytes(size, deadline))
        arrays = []
        for name, shape in fields.pop("arrays"):
            array: Array = np.empty(shape, np.float32)
            self._fill(memoryview(cast(Any, array.reshape(-1).view(np.uint8))), deadline)  # numpy's stubs hide Buffer
            arrays.append((name, array))
        return fields, arrays

    def _bytes(self, size: int, deadline: float) -> bytes:
        buffer = bytearray(size)
        self._fill(memoryview(buffer), deadline)
        return bytes(buffer)

    def _fill(self, view: memoryview, deadline: float) -> None:
        done = 0
        while done < len(view):
            self._channel.settimeout(max(0.001, deadline - time.monotonic()))
            count = self._channel.recv_into(view[done:])
            if count == 0:
                raise EOFError
            done += count

    def _died(self, blame: type[WorkflowError]) -> WorkflowError:
        try:
            status = self._process.wait(DEATH_SECONDS)
        except subprocess.TimeoutExpired:
            self.close()
            return EnvironmentFault("caffe's process closed its channel and hung", fault="T13")
        lines = self._listener.tail(DEATH_SECONDS)
        self.close()
        return explain(status, lines, blame)


def _environment(threads: int) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    return {**kept, "OPENBLAS_NUM_THREADS": str(threads), "OMP_NUM_THREADS": str(threads), "GLOG_minloglevel": "0"}


def _end(process: subprocess.Popen[bytes], channel: socket.socket, lifeline: int, listener: Listener) -> None:
    """Kill the whole group, reap it, close every descriptor. Not a method: it must outlive the Worker."""
    if process.returncode is None:  # not reaped, so the number cannot belong to anybody else yet
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    channel.close()
    os.close(lifeline)
    process.wait()
    listener.join(DEATH_SECONDS)
    if process.stdout is not None and not listener.is_alive():
        process.stdout.close()
