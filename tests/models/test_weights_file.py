from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from workflow.config import Config
from workflow.errors import ModelError, UsageError
from workflow.formats import blobproto, caffe_pb2
from workflow.generations import Reference, resolve
from workflow.models import weights_file


def test_a_path_of_any_name_is_that_file(project):
    (project / "weights.bin").write_bytes(b"\x80\x04.")
    assert weights_file.find(Config(), "weights.bin", None) == Reference(Path("weights.bin"))


def test_c06_neither_a_name_nor_a_file(project):
    with pytest.raises(UsageError, match="no snapshot 'weights.bin'") as caught:
        weights_file.find(Config(), "weights.bin", None)
    assert caught.value.fault == "C06"


def test_c04_a_file_of_another_kind_is_called_that(project):
    Path("model.pt").write_bytes(b"any")
    with pytest.raises(ModelError, match=r"model\.pt is a '\.pt' file, most likely a Python pickle") as caught:
        weights_file.read(resolve(Config(), "model.pt"))
    assert caught.value.fault == "C04"


def test_a_snapshot_without_a_suffix(project):
    """As Caffe named them in 2014; every command that takes a reference finds it."""
    net = caffe_pb2.NetParameter()
    net.layer.add(name="ip", blobs=[blobproto.from_array(np.ones((2, 3)))])
    Path("cifar10_quick_iter_5000").write_bytes(net.SerializeToString())
    reference = resolve(Config(), "cifar10_quick_iter_5000")
    assert reference == weights_file.find(Config(), "cifar10_quick_iter_5000", None)
    assert weights_file.read(reference).layer[0].name == "ip"


def test_c01_when_no_snapshot_is_good(trained):
    for path in trained.snapshots.iterdir():
        path.write_bytes(b"")
    with pytest.raises(ModelError, match="is empty") as caught:
        weights_file.read(weights_file.find(Config(generations=trained.folder.parent), "iter_20", None))
    assert "newest good snapshot" not in str(caught.value)


def test_c03_a_solvers_state(project):
    from workflow.formats import solverstate

    state = solverstate.State(iteration=5, learned_net="x_iter_5.caffemodel", history=(), current_step=0)
    solverstate.write(project / "x_iter_5.solverstate", state)
    with pytest.raises(ModelError):
        weights_file.read(weights_file.find(Config(), "x_iter_5.solverstate", None))
