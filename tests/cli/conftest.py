"""Command lines run in this process, and a project that was prepared and trained by them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from running import Run, run_wf

from workflow.demo.drawing import draw
from workflow.project import start


@pytest.fixture
def wf(project: Path) -> Run:
    """`wf` in an empty folder."""
    return run_wf


@pytest.fixture(scope="session")
def trained_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with 60 drawn pictures, a generation of them, and a snapshot after two iterations."""
    folder = tmp_path_factory.mktemp("trained") / "project"
    start(folder)
    draw(folder / "images", count=60)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        run_wf("prepare")
        run_wf("train", "--max-iter", "2")
    return folder


@pytest.fixture
def trained(trained_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`wf` in a copy of that project."""
    folder = tmp_path / "copy"
    shutil.copytree(trained_once, folder)
    monkeypatch.chdir(folder)
    return run_wf
