"""Projects that are prepared and trained once for all tests, whichever process they run in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock
from three_generations import make_three

from workflow import Project
from workflow.demo.drawing import draw

THREE = """
preprocessing: {width: 8, height: 9}
train: {solver: prototxt/small_solver.prototxt, deploy: prototxt/small_deploy.prototxt}
"""


def trained_project(factory: pytest.TempPathFactory, iterations: int) -> Path:
    """60 drawn pictures, generation 1 of them, and a snapshot after so many iterations; to be read or copied only."""

    def make(folder: Path) -> None:
        project = Project.start(folder)
        draw(folder / "images", count=60)
        project.prepare()
        project.train(max_iter=iterations)

    return _once(factory, f"trained-{iterations}", make)


def three_generations(factory: pytest.TempPathFactory) -> Path:
    """Three generations of the small net, whose weights are fixed; to be read or copied only."""

    def make(folder: Path) -> None:
        folder.mkdir()
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)
            make_three(folder)
        (folder / "configs").mkdir()
        (folder / "configs" / "default.yaml").write_text(THREE)

    return _once(factory, "three", make)


def _once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    base = factory.getbasetemp()
    shared = base.parent if base.name.startswith("popen-") else base  # pytest-xdist has a folder for each process
    folder = shared / name
    with FileLock(f"{folder}.lock"):
        if not folder.is_dir():
            draft = folder.with_suffix(".draft")
            make(draft)
            draft.rename(folder)
    return folder
