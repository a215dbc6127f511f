"""A prepared generation in an empty project, and training of it in a few seconds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from small_net import make_generation

from workflow.config import Config, Train
from workflow.engines.base import Event
from workflow.generations import Generation
from workflow.training import train


@pytest.fixture
def generation(project: Path) -> Generation:
    return make_generation(project)


@pytest.fixture
def settings() -> Config:
    solver, deploy = Path("prototxt/small_solver.prototxt"), Path("prototxt/small_deploy.prototxt")
    return Config(train=Train(solver=solver, deploy=deploy))


@pytest.fixture
def run(generation: Generation, settings: Config) -> Callable[..., list[Event]]:
    """Train with the given options to the end; returns the events."""

    def go(**options: Any) -> list[Event]:
        return list(train(settings, **options))

    return go
