"""A project of drawn pictures, and the application on it, in this process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from one_generation import make_one
from served import HOST, TestClient, make_state

from workflow.web.app import create_app
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
def state(project_folder: Path) -> State:
    return make_state(project_folder)


@pytest.fixture(scope="session")
def client(state: State) -> Iterator[TestClient]:
    """The owner on this machine, without a token."""
    with TestClient(create_app(state), base_url=HOST, client=("127.0.0.1", 50000)) as made:
        yield made
