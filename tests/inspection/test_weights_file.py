from __future__ import annotations

from pathlib import Path

import pytest

from workflow.errors import ModelError, UsageError
from workflow.generations import Reference, resolve
from workflow.inspection import weights_file


def test_a_path_of_any_name_is_that_file(project):
    (project / "weights.bin").write_bytes(b"\x80\x04.")
    assert weights_file.find(Path("generations"), "weights.bin", None) == Reference(Path("weights.bin"))


def test_c06_neither_a_name_nor_a_file(project):
    with pytest.raises(UsageError, match="no snapshot 'weights.bin'") as caught:
        weights_file.find(Path("generations"), "weights.bin", None)
    assert caught.value.fault == "C06"


def test_c04_a_file_of_another_kind_is_called_that(project):
    Path("model.pt").write_bytes(b"")
    with pytest.raises(UsageError, match=r"model\.pt is no \.caffemodel"):
        resolve(Path("generations"), "model.pt")


def test_c01_when_no_snapshot_is_good(trained):
    for path in trained.snapshots.iterdir():
        path.write_bytes(b"")
    with pytest.raises(ModelError, match="is empty") as caught:
        weights_file.read(weights_file.find(trained.folder.parent, "iter_20", None))
    assert "newest good snapshot" not in str(caught.value)


def test_c03_a_solvers_state(project):
    from workflow.formats import solverstate

    state = solverstate.State(iteration=5, learned_net="x_iter_5.caffemodel", history=(), current_step=0)
    solverstate.write(project / "x_iter_5.solverstate", state)
    with pytest.raises(ModelError):
        weights_file.read(weights_file.find(Path("generations"), "x_iter_5.solverstate", None))
