"""Train one net by several trainers: start them, hand on the events of rank 0, and leave none behind."""

from __future__ import annotations

import logging
import queue
import random
import signal
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack

import msgspec

from workflow.cluster.messages import unpacked_error
from workflow.engines.base import Event, Job, Ranks, TrainerDied
from workflow.engines.ranks.child import GONE, Child, Message
from workflow.engines.ranks.task import BUG, DONE, ERROR, EVENT, LOST, SAID, STORE, Answer, Task, unpacked
from workflow.formats import caffe_pb2
from workflow.formats.prototxt import read_net, read_solver

_log = logging.getLogger("workflow")
_GRACE = 3.0  # seconds in which the others say what they saw, after the first that failed


def train(job: Job, ranks: Ranks) -> Iterator[Event]:
    """Run a solver by several trainers on this machine; see `Engine.train`.

    Raises:
        TrainerDied: one of them is gone.
        WorkflowError: what one of them raised.
    """
    told: queue.SimpleQueue[Message] = queue.SimpleQueue()
    with ExitStack() as stack:
        trainers: list[Child] = []
        for rank in range(ranks.workers):
            trainers.append(Child(_task(job, ranks, rank), told))
            stack.callback(trainers[-1].end)
        yield from _events(trainers, told, job)


def _task(job: Job, ranks: Ranks, rank: int) -> Task:
    return Task(
        rank=rank,
        ranks=ranks,
        address="127.0.0.1",
        interface=next(name for _, name in socket.if_nameindex() if name.startswith("lo")),
        folder=str(job.folder),
        solver=_whole(job).SerializeToString(),
        threads=job.threads or 1,
        precision=job.precision,
        test_at_end=job.test_at_end,
        resume=None if job.resume is None else str(job.resume),
        weights=tuple(map(str, job.weights)),
    )


def _whole(job: Job) -> caffe_pb2.SolverParameter:
    """The solver with its net and a seed in it, so that all trainers have the same."""
    solver = read_solver(job.solver)
    net = read_net(job.folder / solver.net)
    solver.ClearField("net")
    solver.net_param.CopyFrom(net)
    if solver.random_seed < 0:
        solver.random_seed = random.SystemRandom().randrange(2**31)
    return solver


def _events(trainers: Sequence[Child], told: queue.SimpleQueue[Message], job: Job) -> Iterator[Event]:
    done: set[int] = set()
    while len(done) < len(trainers):
        message = told.get()
        kind = message.parts[0]
        if kind == STORE:
            for other in trainers[1:]:
                other.tell(b"127.0.0.1", message.parts[1])
        elif kind == SAID:
            _log.warning("%s", message.parts[1].decode())
        elif kind == EVENT:
            yield unpacked(message.parts[1])
            trainers[0].tell(msgspec.msgpack.encode(Answer.of(job.control)))
        elif kind == DONE:
            done.add(message.rank)
        elif message.rank not in done:
            raise _failure([message, *_more(message, told, len(trainers) - len(done))])


def _more(message: Message, told: queue.SimpleQueue[Message], count: int) -> Iterator[Message]:
    """What else these trainers tell soon after the first failure: the cause may be reported after its effects."""
    end, gone = time.monotonic() + _GRACE, int(message.parts[0] == GONE)
    while gone < count and (left := end - time.monotonic()) > 0:
        try:
            message = told.get(timeout=left)
        except queue.Empty:
            return
        gone += message.parts[0] == GONE
        yield message


def _failure(messages: Sequence[Message]) -> Exception:
    """The error to raise: a trainer's own before a death, a death before what others saw of it."""
    by_kind: dict[bytes, Message] = {}
    for message in sorted(messages, key=lambda one: one.rank):
        if message.parts != [GONE, b"1"]:  # after it has said why
            by_kind.setdefault(message.parts[0], message)
    if ERROR in by_kind:
        return unpacked_error(by_kind[ERROR].parts[1])
    if BUG in by_kind:
        return RuntimeError(f"a trainer failed:\n{by_kind[BUG].parts[1].decode()}")
    if GONE in by_kind:
        return TrainerDied(f"trainer {by_kind[GONE].rank} ended with {_how(int(by_kind[GONE].parts[1]))}", fault="T25")
    saw = f" ({by_kind[LOST].parts[1].decode()})" if LOST in by_kind else ""
    return TrainerDied(f"the trainers lost each other{saw}", fault="T25")


def _how(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"
