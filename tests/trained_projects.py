"""Projects that are prepared and trained once for all tests, whichever process they run in."""

from __future__ import annotations

from pathlib import Path

import pytest
from filelock import FileLock

from workflow import Project
from workflow.demo.drawing import draw

LEARNT = 60
"""Iterations after which cifar10_quick tells the drawn classes apart."""


def trained_project(factory: pytest.TempPathFactory, iterations: int) -> Path:
    """60 drawn pictures, generation 1 of them, and a snapshot after so many iterations; to be read or copied only."""
    base = factory.getbasetemp()
    shared = base.parent if base.name.startswith("popen-") else base  # pytest-xdist has a folder for each process
    folder = shared / f"trained-{iterations}"
    with FileLock(f"{folder}.lock"):
        if not folder.is_dir():
            draft = folder.with_suffix(".draft")
            project = Project.start(draft)
            draw(draft / "images", count=60)
            project.prepare()
            project.train(max_iter=iterations)
            draft.rename(folder)
    return folder
