"""Two hosts, which are two addresses of this machine: they meet, refuse each other, and lose each other."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from own_host import own_host

from workflow.engines.base import Control
from workflow.engines.ranks import guest, meeting
from workflow.engines.ranks.addresses import loopback
from workflow.engines.ranks.line import BYE, Line
from workflow.errors import DivergedError, EnvironmentFault


@pytest.fixture
def hosts() -> tuple[str, str]:
    return own_host(), "127.0.0.2"


@pytest.fixture
def lent(tmp_path) -> Iterator[Callable[..., Future[list[str]]]]:
    """Let another thread be the second host; gives the words of its notes."""
    with ThreadPoolExecutor() as threads:

        def lend(hosts, rank=1, control=None) -> Future[list[str]]:
            def work() -> list[str]:
                run = guest.lend(tmp_path, hosts, rank, control or Control(), asked=loopback())
                return [event.text for event in run]

            return threads.submit(work)

        yield lend


def test_they_meet_and_part(hosts, lent):
    other = lent(hosts)
    (found,) = meeting.gather(hosts, Control())
    assert (found.rank, found.name) == (1, "127.0.0.2")
    found.dismiss(None)
    assert other.result() == [f"{hosts[0]} has ended the training"]
    found.end()


def test_what_ends_the_training_ends_it_on_all_hosts(hosts, lent):
    other = lent(hosts)
    (found,) = meeting.gather(hosts, Control())
    found.dismiss(DivergedError("loss became NaN", fault="T01"))
    with pytest.raises(DivergedError, match="loss became NaN"):
        other.result()
    found.end()


def test_a_host_comes_again_when_the_first_one_hangs_up(hosts, lent):
    other = lent(hosts)
    (found,) = meeting.gather(hosts, Control())
    found.end()
    (again,) = meeting.gather(hosts, Control())
    again.dismiss(None)
    assert other.result() == [f"{hosts[0]} has ended the training"]
    again.end()


def test_t24_other_hosts_are_refused_by_both(hosts, lent):
    other = lent((hosts[0], "127.0.0.2", "127.0.0.3"))
    words = r"was started with --hosts .*127\.0\.0\.3 --rank 1, this one with --hosts"
    with pytest.raises(EnvironmentFault, match=words):
        meeting.gather(hosts, Control())
    with pytest.raises(EnvironmentFault, match=words) as found:
        other.result()
    assert found.value.fault == "T24"


def test_t23_a_host_that_does_not_come(hosts, lent, monkeypatch, caplog):
    monkeypatch.setattr(meeting, "START", 0.3)
    monkeypatch.setattr(meeting, "_TOLD", 0.0)
    with pytest.raises(EnvironmentFault, match=r"host 127\.0\.0\.2 did not come within") as found:
        meeting.gather(hosts, Control())
    assert found.value.hint == f"run on 127.0.0.2: wf train --hosts {','.join(hosts)} --rank 1"
    assert "waiting for other hosts: run on 127.0.0.2" in caplog.text
    monkeypatch.setattr(guest, "START", 0.3)
    with pytest.raises(EnvironmentFault, match=rf"host {hosts[0]} has not answered on port \d+"):
        lent(hosts).result()


def test_t23_a_port_that_is_taken():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        host = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(EnvironmentFault, match=r"cannot listen on 127\.0\.0\.1"):
            meeting.gather((host, "127.0.0.2"), Control())


def test_strangers_are_not_answered(hosts, lent):
    """Whoever does not come from one of the hosts' addresses, and what does not speak."""
    control = Control()

    def knock() -> bytes:
        try:
            with _connected(hosts[0]) as stranger:
                return stranger.recv(1)
        finally:
            control.stop()

    with ThreadPoolExecutor() as threads:
        stranger = threads.submit(knock)
        with pytest.raises(EnvironmentFault, match=r"stopped before host 127\.0\.0\.2 came"):
            meeting.gather(hosts, control)
        assert stranger.result() == b""


def _connected(host: str) -> socket.socket:
    """A connection to a host that may not listen yet."""
    address, _, port = host.partition(":")
    end = time.monotonic() + 60
    while True:
        try:
            return socket.create_connection((address, int(port)), source_address=("127.0.0.3", 0))
        except ConnectionRefusedError:
            assert time.monotonic() < end
            time.sleep(0.01)


def test_a_host_that_waits_may_be_stopped(hosts, lent):
    control = Control()
    control.stop()
    assert lent(hosts, control=control).result() == []


def test_a_silent_line_is_taken_for_gone(monkeypatch):
    monkeypatch.setattr("workflow.engines.ranks.line.SILENCE", 0.2)
    near, far = _pair()
    assert near.receive() is None
    far.send(BYE)
    near.close()
    far.close()


def _pair() -> tuple[Line, Line]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        near = socket.create_connection(server.getsockname())
        far, _ = server.accept()
    return Line(near), Line(far)
