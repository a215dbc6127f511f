"""Where the first host waits for the others, and what it knows of each."""

from __future__ import annotations

import logging
import queue
import socket
import threading
import time
from collections.abc import Mapping, Sequence
from typing import NoReturn

import msgspec

from workflow.cluster.messages import packed_error
from workflow.engines.base import Control
from workflow.engines.ranks import alike
from workflow.engines.ranks.addresses import place
from workflow.engines.ranks.child import GONE, Message
from workflow.engines.ranks.line import BEAT, BEGIN, BYE, HELLO, REFUSED, TELL, TOLD, WELCOME, Line
from workflow.engines.ranks.task import STOP, Task
from workflow.errors import EnvironmentFault, WorkflowError

_log = logging.getLogger("workflow")

START = 60.0
"""Seconds in which all hosts must have come."""
_TOLD = 2.0  # seconds of waiting after which it is said
_LOOK = 0.2  # seconds between two looks for a wish to stop


class Host:
    """A trainer on another host; see `child.Child`."""

    def __init__(self, rank: int, name: str, line: Line) -> None:
        self.rank, self.name = rank, name
        self._line = line
        line.beat()

    def begin(self, task: Task, data: Mapping[str, str], told: queue.SimpleQueue[Message]) -> None:
        """Let it start its trainer, if it has the same data; what that tells goes into `told`."""
        self._line.send(BEGIN, msgspec.msgpack.encode(task), msgspec.json.encode(data))
        threading.Thread(target=self._listen, args=(told,), daemon=True).start()

    def tell(self, *parts: bytes) -> None:
        """Send the trainer a message."""
        self._line.send(TELL, *parts)

    def dismiss(self, error: BaseException | None) -> None:
        """Tell the host that the run is over, and what ended it."""
        if error is not None and not isinstance(error, WorkflowError):
            error = EnvironmentFault("the first host was stopped", fault="T23")
        self._line.send(BYE, b"" if error is None else packed_error(error))

    def end(self) -> None:
        """Hang up: the host ends its trainer, and comes again unless it was dismissed."""
        self._line.close()

    def _listen(self, told: queue.SimpleQueue[Message]) -> None:
        while (parts := self._line.receive()) is not None:
            if parts[0] == TOLD:
                told.put(Message(self.rank, parts[1:]))
            elif parts == [BEAT, STOP]:
                told.put(Message(self.rank, [STOP]))
        told.put(Message(self.rank, [GONE, f"host {self.name} does not answer any more".encode()]))


def gather(hosts: Sequence[str], control: Control) -> list[Host]:
    """Wait until all other hosts have come; they are in the order of their ranks, from 1.

    Args:
        hosts: as `--hosts` says, this one first.
        control: ends the waiting when a stop is wished.

    Raises:
        EnvironmentFault: T23, one does not come; T24, one differs from this one.
        UsageError: T23, a host's name is not known.
    """
    places = [place(host) for host in hosts]
    found: dict[int, Host] = {}
    start, told = time.monotonic(), False
    try:
        with _listening(*places[0]) as server:
            while len(found) < len(hosts) - 1:
                waited = time.monotonic() - start
                if control.stopping or waited > START:
                    _fail_for(hosts, found, stopped=control.stopping)
                if waited > _TOLD and not told:
                    told = True
                    _log.warning("waiting for other hosts: %s", _call(hosts, found))
                try:
                    connection, (address, _) = server.accept()
                except TimeoutError:
                    continue
                line = Line(connection)
                rank = _greet(line, hosts, [one for one, _ in places], address)
                if rank is not None:
                    found[rank] = Host(rank, hosts[rank], line)
    except BaseException as error:
        for one in found.values():
            one.dismiss(error)
            one.end()
        raise
    return [found[rank] for rank in sorted(found)]


def _listening(address: str, port: int) -> socket.socket:
    try:
        server = socket.create_server((address, port))  # with SO_REUSEADDR, for a run that begins again
    except OSError as error:
        raise EnvironmentFault(
            f"cannot listen on {address}, port {port} ({error.strerror})",
            hint="the first of --hosts is this machine's address; NAME:PORT takes another port",
            fault="T23",
        ) from error
    server.settimeout(_LOOK)
    return server


def _greet(line: Line, hosts: Sequence[str], addresses: Sequence[str], address: str) -> int | None:
    """The rank of a host that has come; None for a stranger, who is not answered."""
    parts = line.receive() if address in addresses[1:] else None
    if parts is None or parts[0] != HELLO:
        line.close()
        return None
    rank, theirs, versions = msgspec.json.decode(parts[1])
    try:
        _check_place(hosts, addresses, theirs, rank, address)
        alike.check_versions(hosts[0], alike.versions(), hosts[rank], versions)
    except EnvironmentFault as error:
        line.send(REFUSED, packed_error(error))
        line.close()
        raise
    line.send(WELCOME)
    return int(rank)


def _check_place(
    hosts: Sequence[str], addresses: Sequence[str], theirs: Sequence[str], rank: int, address: str
) -> None:
    """Refuse a host that was started with other hosts, or with another's rank.

    Raises:
        EnvironmentFault: T24.
    """
    if list(theirs) != list(hosts) or addresses[rank] != address:
        raise EnvironmentFault(
            f"host {address} was started with --hosts {','.join(theirs)} --rank {rank}, this one with --hosts "
            f"{','.join(hosts)}",
            hint="the same --hosts on all of them, and each with its own place in it as --rank",
            fault="T24",
        )


def _fail_for(hosts: Sequence[str], found: Mapping[int, Host], *, stopped: bool) -> NoReturn:
    absent = hosts[_absent(hosts, found)]
    raise EnvironmentFault(
        f"stopped before host {absent} came" if stopped else f"host {absent} did not come within {START:.0f} seconds",
        hint=_call(hosts, found),
        fault="T23",
    )


def _call(hosts: Sequence[str], found: Mapping[int, Host]) -> str:
    rank = _absent(hosts, found)
    return f"run on {hosts[rank]}: wf train --hosts {','.join(hosts)} --rank {rank}"


def _absent(hosts: Sequence[str], found: Mapping[int, Host]) -> int:
    return next(rank for rank in range(1, len(hosts)) if rank not in found)
