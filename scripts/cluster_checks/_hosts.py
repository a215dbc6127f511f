"""Hosts that are network namespaces of this machine, each with one processor core, and a Ray over them."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

BIN = Path(sys.executable).parent
PORT = 6379
_BRIDGE = "wfcluster"


class Host:
    """Host number 1, 2, ...: `10.77.0.NUMBER`, on core NUMBER - 1."""

    def __init__(self, number: int, environment: dict[str, str]) -> None:
        self.name, self.address, self.core = f"wfhost{number}", f"10.77.0.{number}", number - 1
        self._environment = os.environ | environment

    def command(self, *words: str | Path) -> list[str]:
        """A command as it is run there."""
        return ["ip", "netns", "exec", self.name, "taskset", "-c", str(self.core), *map(str, words)]

    def start(self, *words: str | Path, **options: object) -> subprocess.Popen[str]:
        """Start a program there."""
        return subprocess.Popen(self.command(*words), env=self._environment, text=True, **options)  # type: ignore[call-overload, no-any-return]

    def run(self, *words: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
        """Run a program there to its end."""
        return subprocess.run(self.command(*words), env=self._environment, text=True, check=False, **options)  # type: ignore[call-overload, no-any-return]


@contextmanager
def hosts(count: int, *, rate: str | None = None) -> Iterator[list[Host]]:
    """Make hosts on one network; root alone can. `rate` limits each direction, `1gbit`."""
    token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32), "RAY_USAGE_STATS_ENABLED": "0"}
    made = [Host(number, token) for number in range(1, count + 1)]
    _ip("link", "add", _BRIDGE, "type", "bridge")
    try:
        _ip("link", "set", _BRIDGE, "up")
        for one in made:
            _ip("netns", "add", one.name)
            _ip("link", "add", f"{one.name}o", "type", "veth", "peer", "name", "eth0", "netns", one.name)
            _ip("link", "set", f"{one.name}o", "master", _BRIDGE, "up")
            for words in (("addr", "add", f"{one.address}/24", "dev", "eth0"), ("link", "set", "eth0", "up")):
                _ip("-n", one.name, *words)
            _ip("-n", one.name, "link", "set", "lo", "up")
            if rate is not None:
                one.run(
                    "tc", "qdisc", "add", "dev", "eth0", "root", "tbf", "rate", rate, "burst", "64k", "latency", "50ms"
                )
        yield made
    finally:
        for one in made:
            # with its peer, now: that of a deleted namespace may stay for a while
            subprocess.run(["ip", "link", "del", f"{one.name}o"], check=False, stderr=subprocess.DEVNULL)
            for pid in subprocess.run(
                ["ip", "netns", "pids", one.name], capture_output=True, text=True, check=False
            ).stdout.split():
                subprocess.run(["kill", "-9", pid], check=False, stderr=subprocess.DEVNULL)
            subprocess.run(["ip", "netns", "del", one.name], check=False, stderr=subprocess.DEVNULL)
        subprocess.run(["ip", "link", "del", _BRIDGE], check=False)


@contextmanager
def ray(made: Sequence[Host]) -> Iterator[str]:
    """A Ray over some hosts, one core each; its address."""
    head, *others = made
    temp = Path("/tmp/wf-ray")  # short: paths of sockets have an end  # noqa: S108
    shutil.rmtree(temp, ignore_errors=True)
    small = ("--num-cpus=1", "--object-store-memory=80000000", "--disable-usage-stats")
    started = [
        head.start(BIN / "ray", "start", "--head", f"--port={PORT}", f"--node-ip-address={head.address}", *small,
                   "--include-dashboard=false", f"--temp-dir={temp}", "--block", stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    ]  # fmt: skip
    try:
        _wait(head, 1)
        started += [
            one.start(BIN / "ray", "start", f"--address={head.address}:{PORT}", f"--node-ip-address={one.address}",
                      *small, "--block", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            for one in others
        ]  # fmt: skip
        _wait(head, len(made))
        yield f"{head.address}:{PORT}"
    finally:
        for one in started:
            one.terminate()
        for one in started:
            try:
                one.wait(20)
            except subprocess.TimeoutExpired:
                one.kill()


def _wait(head: Host, nodes: int) -> None:
    alive = "sum(node['Alive'] for node in ray.nodes())"
    code = f"import ray; ray.init('{head.address}:{PORT}', log_to_driver=False); print({alive})"
    until = time.monotonic() + 120
    while time.monotonic() < until:
        said = head.run(sys.executable, "-c", code, capture_output=True).stdout.split()
        if said and said[-1] == str(nodes):
            return
        time.sleep(1)
    raise SystemExit(f"Ray has not got {nodes} nodes within 120 s")


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)
