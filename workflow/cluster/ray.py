"""The program that speaks with Ray: it is told parts on stdin, gives each to an actor of Ray, and answers on stdout.

It is a process of its own because Ray ends the process that uses it 60 seconds after it has lost its head, and prints
what it likes. Ray decides where an actor is, which holds a core until it is let go: a task for each part would wait
until Ray's head had heard that a core far away is free again, up to seconds after it is. The actor hands its parts to
a process as `process.Process` would.

Messages are (number, kind, ...), answers (number, ...): see `remote`. Only this file imports ray.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any

import msgspec
import ray
from ray import exceptions
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from workflow import cores
from workflow.cluster import messages
from workflow.cluster.local import Death
from workflow.cluster.messages import COMPUTED, DEATH, LOST, packed_error, receive, send
from workflow.cluster.process import Helper
from workflow.cluster.site import Site
from workflow.cluster.worker import ERROR, READY
from workflow.config import Cluster
from workflow.errors import EnvironmentFault, WorkflowError

_STORE = 78_643_200  # bytes, the least that Ray takes: results travel in files
_LOOK = 3.0  # seconds between two looks whether Ray's head answers
_SILENCE = 15.0  # seconds without an answer after which it counts as lost
_SIGKILL = b"-9"


# ---- on a worker's machine ----


class Seat:
    """A worker on a core that Ray has given; it says its host's name, the seconds that it took, and the answer.

    The process that computes is one of our own, so that it dies as any worker's and is told its signal.
    """

    def __init__(self) -> None:
        self._host = ray.util.get_node_ip_address()
        self._helper: Helper | None = None

    def begin(self, site: bytes, greeting: tuple[bytes, ...]) -> list[bytes]:
        """Load a work."""
        try:
            found = msgspec.json.decode(site, type=Site)
            found.check(self._host)
            self._helper = Helper(greeting, folder=found.current)
        except WorkflowError as error:
            return [COMPUTED, self._host.encode(), b"0", ERROR, packed_error(error)]
        return self._said(self._helper.begin)

    def ask(self, part: bytes) -> list[bytes]:
        """Do a part."""
        if self._helper is None:
            raise ValueError("nothing has been loaded")
        return self._said(partial(self._helper.tell, part))

    def _said(self, ask: Callable[[], list[bytes]]) -> list[bytes]:
        began = time.monotonic()
        try:
            answer = ask()
        except Death as death:
            return [DEATH, str(death.code).encode()]
        return [COMPUTED, self._host.encode(), str(time.monotonic() - began).encode(), *answer]


def look(site: bytes) -> list[bytes]:
    """Whether this machine has what the other has."""
    try:
        msgspec.json.decode(site, type=Site).check(ray.util.get_node_ip_address())
    except WorkflowError as error:
        return [ERROR, packed_error(error)]
    return [READY]


# ---- on the machine that gives out the work ----


class _Speaker:
    """Hands messages on to Ray."""

    def __init__(self) -> None:
        self._answers = os.fdopen(os.dup(1), "wb")
        os.dup2(2, 1)  # nothing that Ray prints may get between two answers
        self._lock = threading.Lock()
        self._waiting: dict[bytes, Future[Any]] = {}
        # Ray makes no actor again and repeats no task: whoever gives out the parts counts the deaths
        self._seat = ray.remote(num_cpus=1, max_restarts=0, max_task_retries=0)(Seat)
        self._seats: dict[bytes, Any] = {}
        self._look = ray.remote(num_cpus=0, max_retries=0)(look)

    def say(self, *answer: bytes) -> None:
        with self._lock, suppress(BrokenPipeError):  # whoever asked has ended
            send(self._answers, *answer)

    def serve(self) -> None:
        """Until stdin ends."""
        while (message := receive(sys.stdin.buffer)) is not None:
            number, kind, name, *rest = message
            match kind:
                case messages.LOOK:
                    threading.Thread(target=self._compare, args=(number, name), daemon=True).start()
                case messages.BEGIN:
                    site, *greeting = rest
                    self._seats[name] = seat = self._seat.remote()
                    self._wait(number, seat.begin.remote(site, tuple(greeting)))
                case messages.ASK:
                    self._wait(number, self._seats[name].ask.remote(*rest))
                case messages.END if name in self._seats:
                    ray.kill(self._seats.pop(name))

    def _compare(self, number: bytes, site: bytes) -> None:
        """Look at all machines; the first of them that is not as this one is says why."""
        places = [NodeAffinitySchedulingStrategy(one["NodeID"], soft=False) for one in ray.nodes() if one["Alive"]]
        tasks = [self._look.options(scheduling_strategy=place).remote(site) for place in places]
        try:
            answers = ray.get(tasks)
        except Exception as error:
            answers = [_failed(error)]
        self.say(number, *next((one for one in answers if one[0] != READY), [READY]))

    def _wait(self, number: bytes, task: Any) -> None:
        self._waiting[number] = future = task.future()
        future.add_done_callback(partial(self._done, number))

    def _done(self, number: bytes, future: Future[Any]) -> None:
        self._waiting.pop(number, None)
        try:
            answer = future.result()
        except Exception as error:
            answer = _failed(error)
        self.say(number, *answer)

    def watch(self) -> None:
        """Look whether Ray's head answers and has machines, this one among them; say so once it has not.

        Without the Ray of this machine nothing can be given out, but what is being done goes on.
        """
        here, lost = ray.get_runtime_context().get_node_id(), b""
        last = time.monotonic()

        def ask() -> None:
            nonlocal last, lost
            while not lost:
                with suppress(Exception):
                    alive = {node["NodeID"]: node["Resources"].get("CPU", 0) for node in ray.nodes() if node["Alive"]}
                    last = time.monotonic()
                    if here not in alive:
                        lost = b"its raylet on this machine has ended"
                    elif not any(alive.values()):
                        lost = b"none of its machines is left"
                time.sleep(_LOOK)

        threading.Thread(target=ask, daemon=True).start()
        while time.monotonic() - last < _SILENCE and not lost:
            time.sleep(1)
        self.say(b"", LOST, lost or b"its head does not answer")


def main() -> None:
    """Connect as the first message says, then serve."""
    speaker = _Speaker()
    first = receive(sys.stdin.buffer)
    if first is None:
        return
    try:
        workers, hosts = _connect(msgspec.json.decode(first[0], type=Cluster))
    except Exception as error:  # of many kinds: no such host, another version, a token that differs
        speaker.say(b"", ERROR, _line(error))
        return
    threading.Thread(target=speaker.watch, daemon=True).start()
    speaker.say(b"", READY, str(workers).encode(), str(hosts).encode())
    speaker.serve()
    ray.shutdown()


def _connect(cluster: Cluster) -> tuple[int, int]:
    """The workers and the hosts of a Ray; one is started here if there is no other address."""
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.CRITICAL}
    if cluster.address == "local":
        size = cluster.workers or cores.available()
        ray.init("local", num_cpus=size, include_dashboard=False, object_store_memory=_STORE, **quiet)
    elif "://" in str(cluster.address):
        ray.init(cluster.address, logging_level=logging.CRITICAL)
    else:
        ray.init(cluster.address, **quiet)
    found = int(ray.cluster_resources().get("CPU", 0))
    return cluster.workers or max(1, found), sum(node["Alive"] for node in ray.nodes())


def _failed(error: Exception) -> list[bytes]:
    """The answer for a task that Ray could not do."""
    match error:
        case exceptions.LocalRayletDiedError() | ConnectionError():
            return [LOST, _line(error)]
        case (
            exceptions.RayActorError()
            | exceptions.WorkerCrashedError()
            | exceptions.NodeDiedError()
            | exceptions.OutOfMemoryError()
        ):
            return [DEATH, _SIGKILL]
        case _:  # wf is not installed there, and whatever else Ray has to say
            fault = EnvironmentFault(f"Ray cannot do a part: {_line(error).decode()}", fault="R01")
            return [ERROR, packed_error(fault)]


def _line(error: BaseException) -> bytes:
    """The first line of what an error says that is not empty; a traceback's last."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    return lines[-1 if isinstance(error, exceptions.RayTaskError) else 0].encode()
