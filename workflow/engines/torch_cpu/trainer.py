"""The program of one of several processes that train one net; see `engines.ranks.task`.

It ends when stdin ends, so that it dies with its parent, however that dies.
"""

from __future__ import annotations

import itertools
import logging
import os
import signal
import sys
import threading
import traceback
import warnings
from functools import partial
from pathlib import Path
from typing import IO

import msgspec
import torch

from workflow.cluster.messages import packed_error, receive, send
from workflow.engines.base import Control
from workflow.engines.ranks.task import BUG, DONE, ERROR, EVENT, LOST, SAID, SAID_WHY, STORE, Answer, Task, packed
from workflow.engines.torch_cpu.engine import started
from workflow.engines.torch_cpu.expected import measured
from workflow.engines.torch_cpu.member import Agreed, Member
from workflow.engines.torch_cpu.together import LostError, Together
from workflow.errors import WorkflowError
from workflow.formats import caffe_pb2


def main() -> None:
    """Do the task that stdin gives."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    warnings.simplefilter("ignore")
    tasks, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # nothing that some library prints may get between two messages
    start = receive(tasks)
    if start is None:
        return
    task = msgspec.msgpack.decode(start[0], type=Task)
    tell = partial(send, answers)
    code = SAID_WHY
    try:
        _Trainer(task, tasks, answers).run()
    except BrokenPipeError:  # the parent has ended
        os._exit(code)
    except WorkflowError as error:
        tell(ERROR, packed_error(error))
    except LostError as error:
        tell(LOST, str(error).encode())
    except Exception:
        tell(BUG, traceback.format_exc().encode())
    else:
        tell(DONE)
        code = 0
    os._exit(code)  # gloo's threads may still wait for the others


class _Trainer:
    def __init__(self, task: Task, tasks: IO[bytes], answers: IO[bytes]) -> None:
        self._task, self._tasks, self._answers = task, tasks, answers
        torch.set_num_threads(task.threads)
        self._outer = Control()
        self._group = Together(task.rank, task.ranks.workers, task.ranks.micro)
        self._control = Agreed(self._group, self._outer)

    def run(self) -> None:
        task = self._task
        if task.rank == 0:
            logging.getLogger("workflow").addHandler(_Said(self._answers))
        solver = Member(
            caffe_pb2.SolverParameter.FromString(task.solver),
            task.ranks,
            self._group,
            folder=Path(task.folder),
            bfloat16=task.precision == "bfloat16",
            device=task.device,
            threads=task.threads,
            control=self._control,
        )
        if task.rank == 0:
            self._lead(solver)
        else:
            self._follow(solver)

    def _lead(self, solver: Member) -> None:
        task = self._task
        if task.resume is not None:
            solver.restore(Path(task.resume))
        for path in task.weights:
            solver.take_weights(Path(path))
        send(self._answers, STORE, str(self._group.serve(task.address)).encode())
        self._group.join(task.interface)
        solver.even_out()
        resumed = None if task.resume is None else Path(task.resume)
        batches = task.ranks.workers if task.ranks.rule == "each" else 1
        run = solver.run(self._control, test_at_end=task.test_at_end)
        for event in itertools.chain(
            [started(solver, resumed, batches=batches)], measured(run, task.ranks, self._group)
        ):
            send(self._answers, EVENT, packed(event))
            answer = receive(self._tasks)
            if answer is None:
                raise BrokenPipeError
            wishes = msgspec.msgpack.decode(answer[0], type=Answer)
            if wishes.stop:
                self._outer.stop()
            if wishes.snapshot:
                self._outer.snapshot()
        self._group.leave()

    def _follow(self, solver: Member) -> None:
        meeting = receive(self._tasks)
        if meeting is None:
            raise BrokenPipeError
        threading.Thread(target=_end_with, args=(self._tasks,), daemon=True).start()
        self._group.find(meeting[0].decode(), int(meeting[1]))
        self._group.join(self._task.interface)
        solver.even_out()
        for event in solver.run(self._control):
            del event
        self._group.leave()


class _Said(logging.Handler):
    """Tells the parent what the library logs."""

    def __init__(self, answers: IO[bytes]) -> None:
        super().__init__(logging.WARNING)
        self._answers = answers

    def emit(self, record: logging.LogRecord) -> None:
        send(self._answers, SAID, record.getMessage().encode())


def _end_with(stream: IO[bytes]) -> None:
    """End this process when the stream ends."""
    stream.read()
    os._exit(1)
