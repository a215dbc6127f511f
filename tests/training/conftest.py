"""A prepared generation in an empty project, and training of it in a few seconds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from overriding import over
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
        flags = {name: options.pop(name) for name in ("engine", "threads", "precision", "balance") if name in options}
        config = over(settings, **{f"train__{name}": value for name, value in flags.items()})
        return list(train(config, **options))

    return go
