"""configs/: the settings that are shipped."""

from __future__ import annotations

from pathlib import Path

import pytest

from workflow.config import Config
from workflow.formats.prototxt import read_solver
from workflow.project.settings import load

ROOT = Path(__file__).parents[1]
SHIPPED = [*sorted((ROOT / "configs").glob("*.yaml")), ROOT / "workflow" / "demo" / "demo.yaml"]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_it_loads_and_says_what_to_expect(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    load(path, {}, {})
    head = path.read_text(encoding="utf-8").split("\n\n")[0]
    for word in ("command", "data", "expected", "minutes"):
        assert f"#   {word}" in head


def test_default_is_every_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert load(ROOT / "configs" / "default.yaml", {}, {}) == Config()
    solver = read_solver(Config().train.solver)
    assert (solver.max_iter, solver.snapshot, solver.base_lr) == (6000, 1000, pytest.approx(0.001))


def test_cifar10_is_4000_iterations_and_1000_at_a_tenth(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    config = load(ROOT / "configs" / "cifar10.yaml", {}, {})
    solver = read_solver(config.train.solver)
    assert (solver.max_iter, list(solver.stepvalue), solver.gamma) == (5000, [4000], pytest.approx(0.1))
    assert (solver.base_lr, solver.momentum, solver.weight_decay) == pytest.approx((0.001, 0.9, 0.004))
