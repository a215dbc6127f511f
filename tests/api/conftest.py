"""A project that was prepared and trained through the library, without changing the current folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from workflow import Project
from workflow.demo.drawing import draw


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """60 drawn pictures, two generations of them with snapshots after two iterations; the tests only read it."""
    root = tmp_path_factory.mktemp("api") / "mybot"
    made = Project.start(root)
    draw(root / "images", count=60)
    for number in (1, 2):
        made.prepare(force=True)
        made.train(number, max_iter=2, seed=None if number == 1 else number)
    return made


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder, in which nothing may appear."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder
