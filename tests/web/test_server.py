"""The server on a real socket: slow clients are cut off, streams end with it, strangers need a name and a token."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from http.client import HTTPResponse
from pathlib import Path

import pytest
from running import run_wf
from served import listening, png

from workflow.errors import EnvironmentFault, UsageError
from workflow.web import limits, security, server
from workflow.web.state import Settings


@pytest.fixture(scope="module")
def address(project_folder: Path) -> Iterator[str]:
    """Of a server that waits longer than `connect` does, until a test sets less."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(server, "HEADER_SECONDS", 60.0)
        patch.setattr(security, "BODY_SECONDS", 60.0)
        with listening(project_folder) as (found, _):
            yield found


def connect(address: str) -> socket.socket:
    """A connection that complains where the server neither answers nor hangs up."""
    port = int(address.rpartition(":")[2])
    return socket.create_connection(("127.0.0.1", port), timeout=20)


def head(address: str, length: int) -> bytes:
    host = address.removeprefix("http://")
    return (
        f"POST /api/judge HTTP/1.1\r\nHost: {host}\r\nContent-Type: image/png\r\nContent-Length: {length}\r\n".encode()
    )


def status(connection: socket.socket) -> int:
    """Of one whole answer."""
    answer = HTTPResponse(connection)
    answer.begin()
    answer.read()
    return answer.status


def until_closed(connection: socket.socket) -> bytes:
    """What comes before the server hangs up."""
    data = b""
    while True:
        try:
            more = connection.recv(65536)
        except ConnectionError:
            more = b""
        if not more:
            return data
        data += more


def served_once(connection: socket.socket, address: str) -> None:
    """Let a connection serve a request; what is set afterwards holds for the next one."""
    connection.sendall(f"GET /healthz HTTP/1.1\r\nHost: {address.removeprefix('http://')}\r\n\r\n".encode())
    assert status(connection) == 200


@pytest.mark.parametrize("start", [b"", b"GET / HTT", b"GET / HTTP/1.1\r\nHost: x\r\n"])
def test_a_header_that_does_not_come_is_not_waited_for(
    address: str, start: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "HEADER_SECONDS", 0.5)
    with connect(address) as slow:
        slow.sendall(start)
        assert until_closed(slow) == b""


def test_a_second_request_may_be_no_slower(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with connect(address) as slow:
        served_once(slow, address)
        monkeypatch.setattr(server, "HEADER_SECONDS", 0.5)
        slow.sendall(b"GET /hea")
        assert until_closed(slow) == b""


def test_a_body_that_trickles_in_is_cut_off(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(security, "BODY_SECONDS", 0.5)
    with connect(address) as slow:
        slow.sendall(head(address, 10_000) + b"\r\n")
        for _ in range(12):
            try:
                slow.sendall(b"x")
            except OSError:
                break
            time.sleep(0.1)
        data = until_closed(slow)
    assert data.startswith(b"HTTP/1.1 408")
    assert b"arrives too slowly" in data


def test_the_rest_of_a_refused_body_is_not_waited_for(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with connect(address) as slow:
        served_once(slow, address)
        monkeypatch.setattr(server, "HEADER_SECONDS", 0.5)
        slow.sendall(head(address, 10_000) + b"Origin: http://evil.example\r\n\r\nxxx")
        data = until_closed(slow)
    assert data.startswith(b"HTTP/1.1 403")


@pytest.mark.parametrize("length", ["00000000000000000005", "5"])
def test_zeros_hide_no_body(address: str, length: str) -> None:
    with connect(address) as asked:
        host = address.removeprefix("http://")
        start = (
            f"POST /api/undo HTTP/1.1\r\nHost: {host}\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\n\r\n"
        )
        asked.sendall(start.encode() + b"hello")
        assert status(asked) == 415


def test_a_connection_serves_many(address: str) -> None:
    picture = png(71)
    with connect(address) as kept:
        for _ in range(3):
            kept.sendall(head(address, len(picture)) + b"\r\n" + picture)
            assert status(kept) == 200


def test_events_reach_a_listener_and_end_with_the_server(project_folder: Path) -> None:
    with listening(project_folder) as (found, state):
        stream = urllib.request.urlopen(f"{found}/api/events", timeout=60)
        assert stream.headers["content-type"].startswith("text/event-stream")
        assert stream.readline() == b"retry: 2000\n"
        state.events.publish_soon("label", {"seq": 1})
        while stream.readline() != b"event: label\n":
            pass
        assert stream.readline() == b'data: {"seq": 1}\n'
    stream.read()


def test_an_overloaded_server_answers_with_503(project_folder: Path) -> None:
    none = limits.Limits(pictures=0)
    with listening(project_folder, limits=none) as (found, _), connect(found) as asked:
        asked.sendall(head(found, 500_000) + b"\r\n" + bytes(500_000))
        assert status(asked) == 503
        asked.sendall(f"GET /healthz HTTP/1.1\r\nHost: {found.removeprefix('http://')}\r\n\r\n".encode())
        assert status(asked) == 200  # the connection is kept


def test_wf_serve_starts_says_where_and_ends(project_folder: Path) -> None:
    command = [sys.executable, "-m", "workflow", "-C", str(project_folder), "serve", "--port", "0"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    line = process.stderr.readline()
    while "serving" not in line:
        assert line, "the server ended"
        line = process.stderr.readline()
    address = line.split()[-4].rstrip("/")
    assert json.load(urllib.request.urlopen(f"{address}/healthz", timeout=60))["status"] == "ok"
    memory = Path(f"/proc/{process.pid}/maps")
    if memory.exists():
        assert "libtorch" not in memory.read_text()
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0
    assert process.stderr.read().split() == ["stopped"]
    process.stderr.close()


def test_addresses(project_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="reached by others"):
        server.check(Settings(host="0.0.0.0"))
    server.check(Settings(host="0.0.0.0", names=("bot.example",)))
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(EnvironmentFault, match="is in use"):
        server.bind(Settings(port=taken.getsockname()[1]))
    with pytest.raises(UsageError, match="no address of this machine"):
        server.bind(Settings(host="203.0.113.1"))
    monkeypatch.chdir(project_folder)
    ran = run_wf("serve", "--host", "0.0.0.0", code=2)
    assert "wf serve --host 0.0.0.0 --name bot.example" in ran.err
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "is not a wf project" in run_wf("-C", empty, "serve", code=2).err
    assert not list(empty.iterdir())
    assert "no snapshot iter_7" in run_wf("serve", "--snapshot", "iter_7", code=2).err


def test_without_the_extra_the_install_line_is_printed(project_folder: Path) -> None:
    code = (
        "import sys; sys.modules['fastapi'] = None; sys.argv = ['wf', 'serve']; from workflow.cli import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=project_folder, env=os.environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 6
    assert "pip install 'wf[serve]'" in done.stderr
