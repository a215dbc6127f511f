"""Train one net by several trainers: start them, hand on the events of rank 0, and leave none behind."""

from __future__ import annotations

import logging
import queue
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack

import msgspec
from msgspec import structs

from workflow.cluster.messages import unpacked_error
from workflow.engines.base import Event, Job, Ranks, TrainerDied
from workflow.engines.ranks import alike
from workflow.engines.ranks.addresses import interface, loopback, place
from workflow.engines.ranks.child import GONE, Child, Message
from workflow.engines.ranks.meeting import Host, gather
from workflow.engines.ranks.task import BUG, DONE, ERROR, EVENT, LOST, SAID, STOP, STORE, Answer, Task, unpacked
from workflow.formats import caffe_pb2
from workflow.formats.prototxt import read_net, read_solver

_log = logging.getLogger("workflow")
_GRACE = 3.0  # seconds in which the others say what they saw, after the first that failed


def train(job: Job, ranks: Ranks) -> Iterator[Event]:
    """Run a solver by several trainers, on this machine or one on each host; see `Engine.train`.

    Raises:
        TrainerDied: one of them is gone.
        EnvironmentFault: T23, a host does not come; T24, one differs from this one.
        WorkflowError: what one of the trainers raised.
    """
    told: queue.SimpleQueue[Message] = queue.SimpleQueue()
    with ExitStack() as stack:
        if not ranks.hosts:
            task = _task(job, ranks, "127.0.0.1", loopback())
            yield from _events(_children(task, ranks.workers, told, stack), told, job)
            return
        address, _ = place(ranks.hosts[0])
        task = _task(job, ranks, address, interface(address, ranks.interface))
        others = gather(ranks.hosts, job.control)
        for other in others:
            stack.callback(other.end)
        try:
            data = alike.data(caffe_pb2.SolverParameter.FromString(task.solver).net_param, job.folder)
            for other in others:
                other.begin(structs.replace(task, rank=other.rank, resume=None, weights=()), data, told)
            yield from _events([*_children(task, 1, told, stack), *others], told, job)
        except TrainerDied:
            raise  # the hosts come again
        except BaseException as error:
            for other in others:
                other.dismiss(error)
            raise
        for other in others:
            other.dismiss(None)


def _children(task: Task, count: int, told: queue.SimpleQueue[Message], stack: ExitStack) -> list[Child]:
    """The trainers of ranks 0 to `count` - 1, on this machine."""
    children: list[Child] = []
    for rank in range(count):
        children.append(Child(structs.replace(task, rank=rank), told))
        stack.callback(children[-1].end)
    return children


def _task(job: Job, ranks: Ranks, address: str, through: str) -> Task:
    return Task(
        rank=0,
        ranks=ranks,
        address=address,
        interface=through,
        folder=str(job.folder),
        solver=_whole(job).SerializeToString(),
        threads=job.threads or 1,
        precision=job.precision,
        device=job.device,
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


def _events(trainers: Sequence[Child | Host], told: queue.SimpleQueue[Message], job: Job) -> Iterator[Event]:
    done: set[int] = set()
    address = "127.0.0.1" if job.ranks is None or not job.ranks.hosts else place(job.ranks.hosts[0])[0]
    while len(done) < len(trainers):
        message = told.get()
        kind = message.parts[0]
        if kind == STORE:
            for other in trainers[1:]:
                other.tell(address.encode(), message.parts[1])
        elif kind == SAID:
            _log.warning("%s", message.parts[1].decode())
        elif kind == EVENT:
            yield unpacked(message.parts[1])
            trainers[0].tell(msgspec.msgpack.encode(Answer.of(job.control)))
        elif kind == STOP:
            job.control.stop()
        elif kind == DONE:
            done.add(message.rank)
        elif message.rank not in done:
            raise _failure([message, *_more(message, told, len(trainers) - len(done))])


def _more(message: Message, told: queue.SimpleQueue[Message], count: int) -> Iterator[Message]:
    """What else these trainers tell soon after the first failure: the cause may be reported after its effects."""
    end, gone = time.monotonic() + _GRACE, int(message.parts[0] == GONE)
    while gone < count:
        try:
            message = told.get(timeout=max(0.0, end - time.monotonic()))  # what has come is heard, however late it is
        except queue.Empty:
            return
        gone += message.parts[0] == GONE
        yield message


def _failure(messages: Sequence[Message]) -> Exception:
    """The error to raise: a trainer's own before a death, a death before what others saw of it."""
    by_kind: dict[bytes, bytes] = {}
    for message in sorted(messages, key=lambda one: one.rank):
        if message.parts != [GONE, b""]:
            by_kind.setdefault(message.parts[0], message.parts[1])
    if ERROR in by_kind:
        return unpacked_error(by_kind[ERROR])
    if BUG in by_kind:
        return RuntimeError(f"a trainer failed:\n{by_kind[BUG].decode()}")
    if GONE in by_kind:
        return TrainerDied(by_kind[GONE].decode(), fault="T25")
    saw = f" ({by_kind[LOST].decode()})" if LOST in by_kind else ""
    return TrainerDied(f"the trainers lost each other{saw}", fault="T25")
