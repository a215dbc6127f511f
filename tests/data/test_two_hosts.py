"""Two containers, or two hosts, on one folder: neither takes the other's work for a dead process's."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from workflow.config import Config
from workflow.errors import BusyError
from workflow.generations import generation
from workflow.storage import leftovers

ROOT = Path(__file__).parents[2]

_HOST = """
import socket, sys
from pathlib import Path
socket.sethostname(sys.argv[1])
from workflow.config import Config
from workflow.data.staging import staged, sweep
from workflow.generations import generation
target = generation(Config(generations=Path(sys.argv[2])), int(sys.argv[3]))
for _ in sys.stdin:
    with target.held("wf prepare"):
        swept = sweep(target)
        with staged(target) as stage:
            (stage.folder / "half").touch()
            print("begun", *swept, flush=True)
            sys.stdin.readline()
            (stage.folder / "half").rename(stage.folder / "whole")
    print("done", flush=True)
"""


@contextmanager
def container(name: str, root: Path, number: int) -> Iterator[subprocess.Popen[str]]:
    """A host with process numbers of its own that prepares a generation step by step, told by lines."""
    command = ["unshare", "--user", "--map-root-user", "--pid", "--uts", "--fork", "--kill-child"]
    process = subprocess.Popen(
        [*command, sys.executable, "-c", _HOST, name, str(root), str(number)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    with process:
        try:
            yield process
        finally:
            process.kill()
            process.stdout.read()  # until its child, which has the other end too, is gone


def tell(host: subprocess.Popen[str]) -> list[str]:
    """Let it take its next step; what it says then."""
    host.stdin.write("\n")
    host.stdin.flush()
    return host.stdout.readline().split()


@pytest.fixture(scope="module", autouse=True)
def _namespaces() -> None:
    try:
        able = subprocess.run(["unshare", "--user", "--map-root-user", "--pid", "--uts", "--fork", "true"], check=False)
    except FileNotFoundError:
        pytest.skip("no unshare")
    if able.returncode:
        pytest.skip("this kernel allows no namespaces of our own")


def test_two_hosts_prepare_different_generations_and_both_are_whole(tmp_path):
    """In both the process has number 1: each would find its own number, or nobody, behind the other's folder."""
    with container("one", tmp_path, 1) as one, container("two", tmp_path, 2) as two:
        for turn in range(8):
            first, second = (one, two) if turn % 2 else (two, one)
            assert tell(first) == ["begun"]
            assert len(leftovers(tmp_path)) == 0
            assert tell(second) == ["begun"]  # and swept nothing
            assert tell(first) == tell(second) == ["done"]
            assert sorted(path.name for path in tmp_path.glob("*/*")) == ["whole", "whole"]
            assert sorted(path.name for path in tmp_path.glob("[!.]*")) == ["gen1", "gen2"]


def test_t10_who_holds_a_generation_is_said_with_its_host(tmp_path):
    one = generation(Config(generations=tmp_path), 1)
    with container("far", tmp_path, 1) as far:
        tell(far)
        assert one.holder is not None
        assert (one.holder.pid, one.holder.host_name) == (1, "far")
        with pytest.raises(BusyError, match=r"in use by pid 1 on far \(wf prepare, since"), one.held("wf train"):
            pass
        (folder,) = tmp_path.glob("gen1.tmp-far-*")
    assert one.holder is None  # it was killed
    assert leftovers(tmp_path) == []
    assert leftovers(tmp_path, alone=True) == [folder]
