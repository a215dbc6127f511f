"""The files that a project starts with."""

from __future__ import annotations

from pathlib import Path

import pytest

from workflow.errors import UsageError
from workflow.project import FOLDERS, shipped, start


def test_everything_shipped_is_copied_byte_for_byte(tmp_path: Path) -> None:
    written = start(tmp_path / "new" / "project")
    for name in FOLDERS:
        for source in (shipped() / name).iterdir():
            assert (tmp_path / "new" / "project" / name / source.name).read_bytes() == source.read_bytes()
    assert (tmp_path / "new" / "project" / ".gitignore").read_text() == "/generations/\n/inbox/\n"
    assert {path.name for path in written} >= {"default.yaml", "cifar10.yaml", ".gitignore"}


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    mine = tmp_path / "prototxt" / "lenet_solver.prototxt"
    mine.parent.mkdir()
    mine.write_text("mine")
    with pytest.raises(UsageError, match=r"lenet_solver\.prototxt exists"):
        start(tmp_path)
    assert mine.read_text() == "mine"
    assert not (tmp_path / "configs").exists()


def test_a_gitignore_that_is_there_is_left(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("*.png\n")
    assert tmp_path / ".gitignore" not in start(tmp_path)
    assert (tmp_path / ".gitignore").read_text() == "*.png\n"
