from __future__ import annotations

import sys
from pathlib import Path

import pytest

from workflow.engines.bvlc import python
from workflow.engines.bvlc.engine import Engine, start
from workflow.errors import EngineMissing
from workflow.formats import caffe_pb2


@pytest.fixture
def nowhere(monkeypatch, project):
    """A machine without .caffe/ anywhere."""
    monkeypatch.delenv(python.VARIABLE, raising=False)
    monkeypatch.setattr(python, "_ROOT", project / "installed")
    return project


def put(folder: Path) -> Path:
    path = folder / ".caffe" / "bin" / "python"
    path.parent.mkdir(parents=True)
    path.symlink_to(sys.executable)
    return path


def test_absence_is_told_with_what_to_do(nowhere):
    with pytest.raises(EngineMissing, match="real Caffe is not installed") as caught:
        Engine().open(caffe_pb2.NetParameter(), None)
    assert caught.value.hint == "scripts/install_caffe"
    assert caught.value.exit_code == 6


def test_status_of_absence(nowhere):
    status = Engine().status()
    assert (status.name, status.ready, status.version, status.trains) == ("caffe", False, "", True)
    assert status.hint == "scripts/install_caffe"


def test_training_without_it_touches_nothing(nowhere, make_job):
    job = make_job("elsewhere")
    with pytest.raises(EngineMissing):
        next(Engine().train(job))
    assert list((job.folder / "out").iterdir()) == []


def test_the_projects_own_comes_first(nowhere):
    put(nowhere / "installed")
    assert python.find() == nowhere / "installed" / ".caffe" / "bin" / "python"
    put(nowhere)
    assert python.find() == nowhere / ".caffe" / "bin" / "python"
    put(nowhere / "other")
    assert python.find(nowhere / "other") == nowhere / "other" / ".caffe" / "bin" / "python"


def test_the_variable_beats_all(nowhere, monkeypatch):
    put(nowhere)
    monkeypatch.setenv(python.VARIABLE, sys.executable)
    assert python.find(nowhere) == Path(sys.executable)
    monkeypatch.setenv(python.VARIABLE, "/no/such/python")
    with pytest.raises(EngineMissing, match="WF_CAFFE_PYTHON names /no/such/python"):
        python.find(nowhere)


def test_a_python_without_caffe(nowhere, monkeypatch):
    monkeypatch.setenv(python.VARIABLE, sys.executable)
    with pytest.raises(EngineMissing, match="real Caffe does not start: .*No module named 'caffe'"):
        start(nowhere)
    assert Engine().status().hint == "scripts/install_caffe"


def test_a_python_that_only_fails(nowhere, monkeypatch):
    broken = nowhere / "broken"
    broken.write_text("#!/bin/sh\necho pyenv: python3.9: command not found\nexit 127\n")
    broken.chmod(0o755)
    monkeypatch.setenv(python.VARIABLE, str(broken))
    with pytest.raises(
        EngineMissing, match=r"ended with status 127; its last words: pyenv: python3\.9: command not found"
    ):
        start(nowhere)


def test_what_is_no_program(nowhere, monkeypatch):
    empty = nowhere / "empty"
    empty.write_bytes(b"\x7fnothing")
    empty.chmod(0o755)
    monkeypatch.setenv(python.VARIABLE, str(empty))
    with pytest.raises(EngineMissing, match="cannot start"):
        start(nowhere)


@pytest.mark.caffe
def test_status_where_it_is(caffe_python):
    status = Engine().status()
    assert status.ready
    assert status.version.startswith("BVLC Caffe 1.0.0 (kendryte-caffe 1.0.0.20210829, Python 3.")
