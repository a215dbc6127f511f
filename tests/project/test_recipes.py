"""Each recipe trains, and its deploy net takes what it learned."""

from __future__ import annotations

from pathlib import Path

import pytest
from three_generations import KINDS, draw

from workflow import Project
from workflow.formats.prototxt import read_net
from workflow.project.recipes import RECIPES, measured
from workflow.project.starting import start

PROTOTXT = Path(__file__).parents[2] / "prototxt"
NAMES = [recipe.name for recipe in RECIPES]


@pytest.mark.parametrize("name", NAMES[1:])
def test_it_trains_and_labels(name: str, tmp_path: Path) -> None:
    start(tmp_path, name)
    for kind in KINDS:
        draw(tmp_path / "images", "train", kind, 0, 4)
        draw(tmp_path / "images", "test", kind, 10, 12)
    project = Project(tmp_path, train__passes=1)
    project.prepare()
    project.train(max_iter=2)
    found = project.snapshot("iter_2").predict(next((tmp_path / "images").rglob("*.png")))
    assert sum(found.probabilities.values()) == pytest.approx(1, abs=1e-5)


def test_quick_plus_is_the_same_net() -> None:
    """All but the data layers and the name."""
    nets = [read_net(PROTOTXT / f"{name}_train_test.prototxt") for name in ("cifar10_quick", "quick_plus")]
    assert [layer for layer in nets[0].layer if layer.type != "Data"] == [
        layer for layer in nets[1].layer if layer.type != "Data"
    ]


def test_what_was_measured_can_be_true() -> None:
    found = measured()
    assert list(found.recipes) == NAMES
    for figures in found.recipes.values():
        assert figures.parameters > 100_000
        for name, one in figures.sets.items():
            assert all(0.5 < value < 1 for value in one.accuracy.values())
            assert min(one.accuracy.values()) <= one.median <= max(one.accuracy.values())
            assert 0.1 < figures.minutes(name) < 60
