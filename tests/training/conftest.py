"""A prepared generation in an empty project, and training of it in a few seconds."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import three_generations
from overriding import over
from small_net import make_generation
from three_generations import KINDS, draw, write_prototxt

from workflow.config import Config, Train
from workflow.data.prepare import prepare
from workflow.engines.base import Event
from workflow.generations import Generation, existing
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


VALIDATION = {"circle": 4, "cross": 3, "empty": 2}


@pytest.fixture
def validated(project: Path) -> Generation:
    """gen1: 24 training, 9 validation and 12 test pictures of three classes."""
    write_prototxt(project)
    for name in KINDS:
        draw(project / "images", "train", name, 0, 8)
        draw(project / "images", "test", name, 0, 4)
        draw(project / "more", "train", name, 20, 20 + VALIDATION[name])
    shutil.move(project / "more/train", project / "images/val")
    prepare(three_generations.settings())
    return existing(Config())
