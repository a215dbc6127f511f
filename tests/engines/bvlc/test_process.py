from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from caffe_process import CAFFE_PYTHON

from workflow.engines.bvlc.process import Worker
from workflow.errors import EnvironmentFault, NetError

from .conftest import gone

pytestmark = pytest.mark.caffe

ROOT = Path(__file__).parents[3]

ECHO = """
name: "echo"
layer { name: "a" type: "Input" top: "a" input_param { shape { dim: 2 dim: 3 } } }
layer { name: "b" type: "Power" bottom: "a" top: "b" power_param { scale: 2 } }
"""


@pytest.fixture
def worker(tmp_path):
    with Worker(CAFFE_PYTHON, folder=tmp_path) as one:
        yield one


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """A worker for tests that leave it whole, and its folder."""
    folder = tmp_path_factory.mktemp("shared")
    with Worker(CAFFE_PYTHON, folder=folder) as one:
        yield one, folder


def open_echo(worker, folder):
    (folder / "net.prototxt").write_text(ECHO)
    return worker.request("open", path="net.prototxt", level=0, blame=NetError)


def test_an_exception_in_python_is_a_refusal_and_no_end(shared):
    worker, folder = shared
    with pytest.raises(NetError, match="real Caffe rejects 'open': RuntimeError: Could not open file nothing"):
        worker.request("open", path="nothing", level=0, blame=NetError)
    assert open_echo(worker, folder).fields["inputs"] == ["a"]


def test_lines_belong_to_their_request(shared):
    worker, folder = shared
    worker.request("hello")
    first, second = worker.request("hello"), open_echo(worker, folder)
    assert first.lines == []
    assert any(line.endswith("Creating Layer b") for line in second.lines)
    assert worker.request("hello").lines == []


def test_large_arrays_of_any_shape(shared):
    worker, folder = shared
    open_echo(worker, folder)
    data = np.random.default_rng(1).normal(size=(2000, 1500)).astype(np.float32)  # 12 MB, more than any pipe holds
    blobs = dict(worker.request("forward", arrays=[("a", data.T)]).arrays)
    np.testing.assert_array_equal(blobs["b"], data.T * 2)
    blobs = dict(worker.request("forward", arrays=[("a", np.float32([[np.nan, -0.0, np.inf]]))]).arrays)
    assert blobs["a"].tobytes() == np.float32([[np.nan, -0.0, np.inf]]).tobytes()


def test_what_others_print_breaks_nothing(tmp_path):
    loud = tmp_path / "python"
    loud.write_text(f'#!/bin/sh\nprintf "junk without an end"; printf "\\377\\n" >&2\nexec {CAFFE_PYTHON} "$@"\n')
    loud.chmod(0o755)
    with Worker(loud, folder=tmp_path) as worker:
        assert worker.request("hello").fields["caffe"] == "1.0.0"


def test_foreign_settings_stay_outside(tmp_path, monkeypatch):
    monkeypatch.setenv("GLOG_minloglevel", "3")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    with Worker(CAFFE_PYTHON, folder=tmp_path, threads=2) as worker:
        assert open_echo(worker, tmp_path).lines  # the log is there
        environment = Path(f"/proc/{worker.pid}/environ").read_bytes().split(b"\0")
    assert b"OPENBLAS_NUM_THREADS=2" in environment
    assert b"OMP_NUM_THREADS=2" in environment
    assert not [setting for setting in environment if setting.startswith(b"PYTHON")]


def test_ctrl_c_does_not_reach_it(shared):
    worker, _ = shared
    assert os.getsid(worker.pid) == worker.pid != os.getsid(0)


def test_a_killed_worker_is_told_by_its_signal(worker):
    os.kill(worker.pid, signal.SIGKILL)
    with pytest.raises(EnvironmentFault, match=r"killed by SIGKILL \(out of memory\?\)") as caught:
        worker.request("hello")
    assert caught.value.fault == "T13"
    with pytest.raises(EnvironmentFault, match="has ended already"):
        worker.request("hello")


def test_a_worker_that_hangs_is_killed(worker):
    worker.request("hello")
    os.kill(worker.pid, signal.SIGSTOP)
    with pytest.raises(EnvironmentFault, match="did not answer 'hello' within 0 s"):
        worker.request("hello", timeout=0.2)
    assert gone(worker.pid)


def test_a_ctrl_c_while_waiting_ends_it(worker, monkeypatch):
    """It comes once the request is on its way, so that it never hits the test itself."""
    worker.request("hello")
    os.kill(worker.pid, signal.SIGSTOP)
    receive, me = worker._receive, threading.get_ident()

    def interrupted(deadline):
        threading.Timer(0.2, signal.pthread_kill, [me, signal.SIGINT]).start()
        return receive(deadline)

    monkeypatch.setattr(worker, "_receive", interrupted)
    with pytest.raises(KeyboardInterrupt):
        worker.request("hello")
    assert gone(worker.pid)


def test_a_forgotten_worker_ends_with_its_last_reference(tmp_path):
    worker = Worker(CAFFE_PYTHON, folder=tmp_path)
    pid = worker.pid
    del worker
    gc.collect()
    assert gone(pid)


def test_descriptors_are_closed(tmp_path):
    before = sorted(os.listdir("/proc/self/fd"))  # noqa: PTH208 - names are enough
    with Worker(CAFFE_PYTHON, folder=tmp_path) as worker:
        worker.request("hello")
    assert sorted(os.listdir("/proc/self/fd")) == before  # noqa: PTH208
    worker.close()  # twice is fine


def test_no_folder(tmp_path):
    with pytest.raises(EnvironmentFault, match="no such folder"):
        Worker(CAFFE_PYTHON, folder=tmp_path / "nothing")


PARENT = """
import os, sys, threading, time
from pathlib import Path
from workflow.engines.bvlc.process import Worker
worker = Worker(Path(sys.argv[1]), folder=Path("."))
worker.request("open", path="net.prototxt", level=0)
worker.request("hello")
work = threading.Thread(target=worker.request, args=["replay"],
                        kwargs=dict(net=-1, layers=["a", "b"], times=10**9), daemon=True)
def busy():
    return int(Path(f"/proc/{worker.pid}/stat").read_text().rpartition(")")[2].split()[11])  # of processor time
idle = busy()
work.start()
while busy() < idle + 5:
    time.sleep(0.01)
print(worker.pid, flush=True)
os.kill(os.getpid(), 9)
"""


def test_a_killed_parent_takes_it_along_even_in_the_middle_of_work(tmp_path):
    (tmp_path / "net.prototxt").write_text(ECHO)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", PARENT, str(CAFFE_PYTHON)]
    done = subprocess.run(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL
    assert gone(int(done.stdout))
