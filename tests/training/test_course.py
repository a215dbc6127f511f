from __future__ import annotations

import json
from pathlib import Path

import pytest

from workflow.training.course import course


def write(path: Path, tests: list[tuple[int, float | None, float]], steps: dict[int, float] | None = None) -> Path:
    rows = [{"kind": "step", "iteration": k, "loss": loss, "rate": 1} for k, loss in (steps or {}).items()]
    for iteration, accuracy, loss in tests:
        numbers = {"loss": loss} | ({} if accuracy is None else {"accuracy": accuracy})
        rows.append({"kind": "test", "iteration": iteration, "net": 0, **numbers})
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_the_best_pass_and_what_has_grown_since(tmp_path):
    tests = [(0, 1.0, 0.01), (100, 0.98, 0.05), (200, 0.98, 0.08), (300, 0.97, 0.04), (400, 0.96, 0.3)]
    steps = {k: 0.2 if k < 300 else 0.001 for k in range(400)}
    went = course(write(tmp_path / "metrics.jsonl", tests, steps))
    assert went.best == (100, 0.98, 0.05)  # the untrained net's pass is none, and among equals the loss is lower
    assert went.growth is not None
    assert (went.growth.since, went.growth.test_loss) == (300, (0.04, 0.3))
    assert went.growth.train_loss == pytest.approx((0.2, 0.1005))
    words = "test loss lowest at iteration 300 (0.0400); it has grown to 0.3000 since, the training loss fell from 0.2"
    assert went.growth.words.startswith(words)


@pytest.mark.parametrize("tests", [[], [(0, 0.5, 0.7)], [(100, 0.9, 0.2), (200, 0.9, 0.21)]])
def test_nothing_has_grown(tmp_path, tests):
    went = course(write(tmp_path / "metrics.jsonl", tests))
    assert went.growth is None
    assert (went.best is None) == (len(tests) < 2)


def test_a_net_without_accuracy_and_a_run_without_metrics(tmp_path):
    went = course(write(tmp_path / "metrics.jsonl", [(100, None, 0.1), (200, None, 0.3)]))
    assert went.best is None
    assert went.growth is not None
    assert went.growth.train_loss is None
    assert course(tmp_path / "none.jsonl").best is None
