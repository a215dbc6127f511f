"""A project to serve, a server in a process of its own, and a client that talks to it."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from workflow import Project
from workflow.demo.drawing import draw
from workflow.inbox import Facts, Inbox, Item

QUEUE = "next"


def make_project(root: Path, pictures: int) -> Project:
    """A project with one generation (`character`, `other`) and a queue of pictures whose files do not exist."""
    project = Project.start(root)
    draw(root / "images", count=60)
    project.prepare()
    with Inbox(project.config) as inbox:
        inbox.learn()
        inbox.fill(QUEUE, "To be labelled", _items(pictures))
    return project


def digest(number: int) -> str:
    """The sha256 of queued picture `number`."""
    return hashlib.sha256(f"picture {number}".encode()).hexdigest()


def _items(count: int) -> Iterator[Item]:
    for number in range(count):
        yield Item(facts=Facts(sha256=digest(number)), path=f"pile/{number}.jpg", suggestion="other", reason="new")


def free_port() -> int:
    """A free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """`wf serve` in a process of its own."""

    def __init__(self, root: Path, port: int) -> None:
        self.port = port
        command = [sys.executable, "-m", "workflow", "serve", "--port", str(port), "--quiet"]
        self.process = subprocess.Popen(
            command,
            cwd=root,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        deadline = time.monotonic() + 60
        while True:
            with suppress(OSError, http.client.HTTPException):
                if Client(port).ask("GET", "/healthz")[0] == 200:
                    return
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the server does not start: {self.process.communicate()[1].decode()}")
            time.sleep(0.02)

    def kill(self) -> None:
        """SIGKILL to it and to its decoding processes."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.communicate()

    def end(self) -> str:
        """End it as Ctrl-C does; what it wrote to stderr."""
        self.process.send_signal(signal.SIGINT)
        return self.process.communicate(timeout=30)[1].decode()


class Client:
    """One connection, opened again after each failure.

    Args:
        port: of the server.
        timeout: seconds.
        token: whose requests they are; None is the owner on this machine.
    """

    def __init__(self, port: int, timeout: float = 20, token: str | None = None) -> None:
        self._port, self._timeout = port, timeout
        self._headers = {} if token is None else {"authorization": f"Bearer {token}"}
        self._connection: http.client.HTTPConnection | None = None

    def ask(self, method: str, path: str, document: object = None) -> tuple[int, Any]:
        """Status and document of an answer.

        Args:
            method: of HTTP.
            path: with the query.
            document: the body: a picture's bytes, or what becomes JSON.

        Raises:
            OSError, HTTPException: the server is not there, or went away.
        """
        if self._connection is None:
            self._connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=self._timeout)
        try:
            picture = isinstance(document, bytes)
            body = document if picture or document is None else json.dumps(document)
            headers = {} if body is None else {"content-type": "image/jpeg" if picture else "application/json"}
            self._connection.request(method, path, body, headers | self._headers)
            answer = self._connection.getresponse()
            return answer.status, json.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError):
            self._connection.close()
            self._connection = None
            raise


def table(rows: Sequence[tuple[str, object]]) -> None:
    """Print figures."""
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        print(f"{name:{width}}  {value:,}" if isinstance(value, int) else f"{name:{width}}  {value}", flush=True)
