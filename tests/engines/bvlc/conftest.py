"""A tiny project with LMDBs for real Caffe, and a look at the processes that we started."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from caffe_process import CAFFE_PYTHON

from workflow.engines.base import Job
from workflow.formats import datum, lmdb

TRAIN_COUNT, TEST_COUNT = 13, 7

NET = """
name: "tiny"
layer { name: "data" type: "Data" top: "data" top: "label" include { phase: TRAIN }
  transform_param { scale: 0.004 TRAIN_TRANSFORM } data_param { source: "train_lmdb" batch_size: 4 backend: LMDB } }
layer { name: "data" type: "Data" top: "data" top: "label" include { phase: TEST }
  transform_param { scale: 0.004 TEST_TRANSFORM } data_param { source: "test_lmdb" batch_size: 3 backend: LMDB } }
layer { name: "conv1" type: "Convolution" bottom: "data" top: "conv1" param { lr_mult: 1 } param { lr_mult: 2 }
  convolution_param { num_output: 6 kernel_h: 3 kernel_w: 2 weight_filler { type: "xavier" } } }
layer { name: "relu1" type: "ReLU" bottom: "conv1" top: "conv1" }
DROPOUT
layer { name: "ip" type: "InnerProduct" bottom: "conv1" top: "ip"
  inner_product_param { num_output: 4 weight_filler { type: "xavier" } } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }
layer { name: "accuracy" type: "Accuracy" bottom: "ip" bottom: "label" top: "accuracy" include { phase: TEST } }
"""

SOLVER = """
net: "net.prototxt" test_iter: 2 test_interval: 4 base_lr: 0.05 momentum: 0.9 weight_decay: 0.004
lr_policy: "inv" gamma: 0.1 power: 0.75 display: 3 average_loss: 2 max_iter: 20 snapshot: 5
snapshot_prefix: "out/tiny" random_seed: 11
"""


def net(*, transform: str = "", test_transform: str = "", dropout: bool = False) -> str:
    """The net's text, with chance where it is asked for."""
    drop = 'layer { name: "drop" type: "Dropout" bottom: "conv1" top: "conv1" dropout_param { dropout_ratio: 0.3 } }'
    text = NET.replace("TRAIN_TRANSFORM", transform).replace("TEST_TRANSFORM", test_transform)
    return text.replace("DROPOUT", drop if dropout else "")


def write_database(folder: Path, count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    with lmdb.Writer(folder) as writer:
        for index in range(count):
            pixels = rng.integers(0, 256, (3, 7, 5), dtype=np.uint8)
            writer.put(b"%08d_%d.png" % (index, index % 4), datum.encode(pixels, index % 4))


@pytest.fixture
def make_job(tmp_path: Path) -> Callable[..., Job]:
    """A function that writes a project (in tmp_path, or a folder under it) and returns its Job.

    Keyword arguments beginning with a solver's field replace it; `net_text` replaces the net; the rest goes to Job.
    """

    def make(folder: str = ".", *, net_text: str | None = None, solver: str = "", **job: object) -> Job:
        project = tmp_path / folder
        if not (project / "train_lmdb").exists():
            project.mkdir(exist_ok=True)
            write_database(project / "train_lmdb", TRAIN_COUNT, 1)
            write_database(project / "test_lmdb", TEST_COUNT, 2)
        (project / "net.prototxt").write_text(net() if net_text is None else net_text)
        (project / "solver.prototxt").write_text(changed(SOLVER, solver))
        (project / "out").mkdir(exist_ok=True)
        return Job(folder=project, solver=project / "solver.prototxt", **job)

    return make


def changed(solver: str, changes: str) -> str:
    """The solver's text with the fields of `changes` instead of its own; `field: -` takes one away."""
    words, new = solver.split(), changes.split()
    fields = dict(zip(words[::2], words[1::2], strict=True)) | dict(zip(new[::2], new[1::2], strict=True))
    return "\n".join(f"{name} {value}" for name, value in fields.items() if value != "-")


def workers() -> list[int]:
    """Numbers of this process's living children that run our worker."""
    found = []
    for children in Path("/proc/self/task").glob("*/children"):
        for pid in map(int, children.read_text().split()):
            if any(word.endswith(b"bvlc/worker.py") for word in _command(pid)):
                found.append(pid)
    return found


def _command(pid: int) -> list[bytes]:
    """The words that a process was started with: none of one that has ended, at first none of one that just begins."""
    end = time.monotonic() + 60
    while not _dead(pid):
        if words := Path(f"/proc/{pid}/cmdline").read_bytes():
            return words.split(b"\0")
        assert time.monotonic() < end, "a process without words"
        time.sleep(0.001)
    return []


def gone(pid: int) -> bool:
    """Whether no such process lives any more, after waiting for its end."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if _dead(pid):
            return True
        time.sleep(0.01)
    return False


def _dead(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (ProcessLookupError, FileNotFoundError):
        return True


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """No test leaves a worker behind."""
    before = workers()  # of fixtures that several tests share
    yield
    assert set(workers()) <= set(before)


@pytest.fixture
def caffe_python(monkeypatch: pytest.MonkeyPatch) -> Path:
    """Caffe's Python, named explicitly."""
    monkeypatch.setenv("WF_CAFFE_PYTHON", str(CAFFE_PYTHON))
    return CAFFE_PYTHON
