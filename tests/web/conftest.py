"""A project of drawn pictures, and the application on it, in this process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from one_generation import make_one
from served import TestClient, serving

from workflow.web.state import State


@pytest.fixture(scope="session")
def project_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with gen1: three classes, snapshots iter_10 and iter_20."""
    root = tmp_path_factory.mktemp("served")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        make_one(root)
    return root


@pytest.fixture(scope="session")
def running(project_folder: Path) -> Iterator[tuple[TestClient, State]]:
    with serving(project_folder) as found:
        yield found


@pytest.fixture(scope="session")
def client(running: tuple[TestClient, State]) -> TestClient:
    """The owner on this machine, without a token."""
    return running[0]


@pytest.fixture(scope="session")
def state(running: tuple[TestClient, State]) -> State:
    return running[1]
