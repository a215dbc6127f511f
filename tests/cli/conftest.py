"""Command lines run in this process, and a project that was prepared and trained by them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from running import Run, run_wf
from trained_projects import three_generations, trained_project


@pytest.fixture
def wf(project: Path) -> Run:
    """`wf` in an empty folder."""
    return run_wf


@pytest.fixture
def trained(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`wf` in a project with 60 drawn pictures, a generation of them, and a snapshot after two iterations."""
    return _in_copy(trained_project(tmp_path_factory, 2), tmp_path, monkeypatch)


@pytest.fixture
def three(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`wf` in a project of three generations of the small net."""
    return _in_copy(three_generations(tmp_path_factory), tmp_path, monkeypatch)


def _in_copy(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    folder = tmp_path / "copy"
    shutil.copytree(project, folder)
    monkeypatch.chdir(folder)
    return run_wf
