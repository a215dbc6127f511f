"""A host that computes for a training which the first host leads."""

from __future__ import annotations

import queue
import socket
import threading
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import msgspec
from msgspec import structs

from workflow.cluster.messages import packed_error, unpacked_error
from workflow.engines.base import Control, Event, Note
from workflow.engines.ranks import alike
from workflow.engines.ranks.addresses import interface, place
from workflow.engines.ranks.child import GONE, Child, Message
from workflow.engines.ranks.line import BEGIN, BYE, HELLO, REFUSED, TELL, TOLD, WELCOME, Line
from workflow.engines.ranks.meeting import START
from workflow.engines.ranks.task import ERROR, STOP, Task
from workflow.errors import EnvironmentFault, WorkflowError
from workflow.formats import caffe_pb2

_AGAIN = 0.5  # seconds between two tries to reach the first host


def lend(folder: Path, hosts: Sequence[str], rank: int, control: Control, *, asked: str | None) -> Iterator[Event]:
    """Compute for the first host until it has finished; nothing is written here.

    Args:
        folder: the project folder, with the same data as on the first host.
        hosts: as `--hosts` says.
        rank: this host's place in them, from 1.
        control: a wish to stop is handed on to the first host, which stops all with a snapshot.
        asked: name of a network interface, None for the one that has this host's address.

    Yields:
        A Note when the training begins, whenever it begins again, and when it ends.

    Raises:
        EnvironmentFault: T23, the first host does not answer; T24, it has other versions or other data.
    """
    address, _ = place(hosts[rank])
    own = interface(address, asked)
    while True:
        line = _reach(hosts, rank, address, control)
        if line is None:
            return
        with ExitStack() as stack:
            stack.callback(line.close)
            over = yield from _serve(line, stack, folder, hosts, rank, own)
        if over:
            yield Note(text=f"{hosts[0]} has ended the training")
            return


def _reach(hosts: Sequence[str], rank: int, address: str, control: Control) -> Line | None:
    """A connection to the first host, which has let this one in; None if a stop is wished before."""
    end = time.monotonic() + START
    while time.monotonic() < end:
        if control.stopping:
            return None
        try:
            connection = socket.create_connection(place(hosts[0]), timeout=_AGAIN * 4, source_address=(address, 0))
        except OSError:
            time.sleep(_AGAIN)
            continue
        line = Line(connection)
        line.beat(lambda: STOP if control.stopping else b"")
        line.send(HELLO, msgspec.json.encode((rank, list(hosts), alike.versions())))
        answer = line.receive()
        if answer is not None and answer[0] == WELCOME:
            return line
        line.close()
        if answer is not None and answer[0] == REFUSED:
            raise unpacked_error(answer[1])
    name, port = place(hosts[0])
    raise EnvironmentFault(
        f"host {hosts[0]} has not answered on port {port} for {START:.0f} seconds",
        hint=f"run there: wf train --hosts {','.join(hosts)} --rank 0; it must be reachable at {name}",
        fault="T23",
    )


def _serve(
    line: Line, stack: ExitStack, folder: Path, hosts: Sequence[str], rank: int, own: str
) -> Generator[Event, None, bool]:
    """Run a trainer as the first host says; whether the training is over."""
    told: queue.SimpleQueue[Message] = queue.SimpleQueue()
    trainer: Child | None = None
    while (parts := line.receive()) is not None:
        if parts[0] == BEGIN:
            task = msgspec.msgpack.decode(parts[1], type=Task)
            try:
                _check(task, msgspec.json.decode(parts[2]), folder, hosts[0], hosts[rank])
            except WorkflowError as error:
                line.send(TOLD, ERROR, packed_error(error))
                raise
            trainer = Child(structs.replace(task, folder=str(folder), interface=own), told)
            stack.callback(trainer.end)
            threading.Thread(target=_relay, args=(told, line), daemon=True).start()
            yield Note(
                text=f"computing for {hosts[0]}, worker {rank} of 0 to {len(hosts) - 1}; snapshots are written there"
            )
        elif parts[0] == TELL and trainer is not None:
            trainer.tell(*parts[1:])
        elif parts[0] == BYE:
            if parts[1]:
                raise unpacked_error(parts[1])
            return True
    return False


def _check(task: Task, theirs: Mapping[str, str], folder: Path, there: str, here: str) -> None:
    """Refuse a task whose data are not here.

    Raises:
        EnvironmentFault, DatabaseError: T24; one cannot be read.
    """
    net = caffe_pb2.SolverParameter.FromString(task.solver).net_param
    alike.check_data(there, theirs, here, alike.data(net, folder))


def _relay(told: queue.SimpleQueue[Message], line: Line) -> None:
    """Hand on what the trainer tells, up to its end."""
    parts = [b""]
    while parts[0] != GONE:
        parts = told.get().parts
        line.send(TOLD, *parts)
