"""Command lines run in this process, and a project that was prepared and trained by them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from running import Run, run_wf
from three_generations import make_three
from trained_projects import LEARNT, trained_project


@pytest.fixture
def wf(project: Path) -> Run:
    """`wf` in an empty folder."""
    return run_wf


@pytest.fixture
def trained(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`wf` in a project with 60 drawn pictures, a generation of them, and a snapshot after two iterations."""
    return _in_copy(trained_project(tmp_path_factory, 2), tmp_path, monkeypatch)


@pytest.fixture
def learnt(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The same with a snapshot that tells the classes apart."""
    return _in_copy(trained_project(tmp_path_factory, LEARNT), tmp_path, monkeypatch)


THREE = """
preprocessing: {width: 8, height: 9}
train: {solver: prototxt/small_solver.prototxt, deploy: prototxt/small_deploy.prototxt}
"""


@pytest.fixture(scope="session")
def three_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of three generations whose weights are fixed; to be copied only."""
    folder = tmp_path_factory.mktemp("three")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        make_three(folder)
    (folder / "configs").mkdir()
    (folder / "configs" / "default.yaml").write_text(THREE)
    return folder


@pytest.fixture
def three(three_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`wf` in a project of three generations."""
    return _in_copy(three_once, tmp_path, monkeypatch)


def _in_copy(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    folder = tmp_path / "copy"
    shutil.copytree(project, folder)
    monkeypatch.chdir(folder)
    return run_wf
