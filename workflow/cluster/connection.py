"""The connection with Ray: the process that speaks with it, and who waits for which of its answers."""

from __future__ import annotations

import atexit
import importlib.util
import itertools
import os
import queue
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from typing import IO

import msgspec

from workflow.cluster.messages import LOOK, LOST, receive, send
from workflow.cluster.process import checked
from workflow.cluster.worker import READY
from workflow.config import Cluster
from workflow.errors import EngineMissing, EnvironmentFault

_PROGRAM = "import sys; sys.path[:] = sys.argv[1:]; from workflow.cluster.ray import main; main()"
_PATIENCE = 10.0  # seconds that it has to end in

Answers = queue.SimpleQueue[list[bytes]]

_open: dict[Cluster, Connection] = {}
_lock = threading.Lock()


def connected(cluster: Cluster) -> Connection:
    """The connection of this process with a cluster; it is kept for the next work.

    Raises:
        EngineMissing, EnvironmentFault: as `Connection`.
    """
    with _lock:
        found = _open.get(cluster)
        if found is None or found.lost is not None:
            found = _open[cluster] = Connection(cluster)
        return found


class Connection:
    """One process that speaks with a Ray.

    Args:
        cluster: the settings.

    Raises:
        EngineMissing: Ray is not installed.
        EnvironmentFault: R01, it cannot be reached in time.
    """

    def __init__(self, cluster: Cluster) -> None:
        if importlib.util.find_spec("ray") is None:
            raise EngineMissing(
                "--cluster needs the package ray, which is not installed", hint="pip install 'wf[cluster]'"
            )
        self.address = str(cluster.address)
        self.lost: str | None = None
        """Why it can no longer be used."""
        self._numbers = itertools.count()
        self._waiting: dict[bytes, Answers] = {}
        self._lock, self._sending = threading.Lock(), threading.Lock()
        self._said = tempfile.TemporaryFile()  # what Ray prints  # noqa: SIM115
        self._process = subprocess.Popen(  # noqa: S603  # our own interpreter and module
            [sys.executable, "-P", "-c", _PROGRAM, *sys.path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            env=os.environ | _environment(cluster),
            cwd="/",  # Ray imports from this folder, too, on all machines
            start_new_session=True,  # Ctrl-C is this process's; and all that it starts can be ended at once
        )
        atexit.register(self.close)
        self._in, self._out = _open_pipes(self._process)
        late = threading.Timer(cluster.start_timeout, self._give_up, [f"no answer within {cluster.start_timeout} s"])
        late.daemon = True
        late.start()
        self._tell(msgspec.json.encode(cluster))
        first = receive(self._out)
        late.cancel()
        if first is None or first[1] != READY:
            reason = self.lost or (self._last_words() if first is None else first[2].decode(errors="replace"))
            self._give_up(reason)
            raise EnvironmentFault(
                f"cannot work with Ray at {self.address}: {reason}",
                hint="is it running there, and are RAY_AUTH_MODE and the token the same? docs/cluster.md says more",
                fault="R01",
            )
        self.workers, self.hosts = int(first[2]), int(first[3])
        threading.Thread(target=self._listen, daemon=True).start()

    def ask(self, answers: Answers, *message: bytes) -> Answers:
        """Send a message, whose answers are put into a queue."""
        number = str(next(self._numbers)).encode()
        with self._lock:
            self._waiting[number] = answers
            lost = self.lost
        if lost is None:
            self._tell(number, *message)
        else:
            answers.put([LOST])
        return answers

    def tell(self, *message: bytes) -> None:
        """Send a message that has no answer."""
        self._tell(b"", *message)

    def look(self, site: bytes, seconds: float) -> None:
        """Compare all machines with this one, see `site.Site`.

        Raises:
            EnvironmentFault: R01 to R03.
        """
        try:
            answer = self.ask(queue.SimpleQueue(), LOOK, site).get(timeout=seconds)
        except queue.Empty:
            raise EnvironmentFault(
                f"a machine of Ray at {self.address} has started no worker within {seconds:.0f} s",
                hint="ray status shows its machines; cluster.start_timeout in the settings is how long to wait",
                fault="R01",
            ) from None
        checked(self.alive(answer))

    def alive(self, answer: list[bytes]) -> list[bytes]:
        """The answer, if it is not that Ray was lost.

        Raises:
            EnvironmentFault: R01, it was.
        """
        if answer[0] == LOST:
            raise EnvironmentFault(
                f"Ray at {self.address} was lost: {self.lost}",
                hint="start it again, then the same command does what is missing",
                fault="R01",
            )
        return answer

    def close(self) -> None:
        """Let Ray end; what it is working on is given up."""
        atexit.unregister(self.close)
        if self.lost is None:
            self.lost = "it was closed"
            with suppress(OSError):
                self._in.close()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_PATIENCE)
        self._give_up(self.lost)

    def _listen(self) -> None:
        while (message := receive(self._out)) is not None:
            number, *answer = message
            if answer[0] == LOST:
                self._give_up(answer[1].decode(errors="replace"))
            with self._lock:
                answers = self._waiting.pop(number, None)
            if answers is not None:
                answers.put(answer)
        self._give_up(self.lost or self._last_words())
        self._out.close()

    def _give_up(self, reason: str) -> None:
        """Kill the process and all that it has started here; whoever waits hears that Ray is lost."""
        with self._lock:
            self.lost = self.lost or reason
            waiting, self._waiting = self._waiting, {}
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for answers in waiting.values():
            answers.put([LOST])
        for stream in (self._in, self._said):
            with suppress(OSError):
                stream.close()

    def _tell(self, *message: bytes) -> None:
        with self._sending, suppress(OSError, ValueError):  # it has ended: whoever waits is told
            send(self._in, *message)

    def _last_words(self) -> str:
        self._process.wait()
        self._said.seek(0)
        lines = [line.strip() for line in self._said.read().decode(errors="replace").splitlines() if line.strip()]
        return f"its process ended with {lines[-1] if lines else f'exit code {self._process.returncode}'}"


def _open_pipes(process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    if process.stdin is None or process.stdout is None:
        raise ValueError("the process has no pipes")
    return process.stdin, process.stdout


def _environment(cluster: Cluster) -> dict[str, str]:
    """Variables for a Ray that is started here: nobody else can use it, and it reports to nobody."""
    if cluster.address != "local":
        return {}
    token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    return token | {"RAY_USAGE_STATS_ENABLED": "0"}
