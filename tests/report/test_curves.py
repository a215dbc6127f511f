"""Curves from metrics.jsonl, finished or not."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from workflow.report.curves import Metrics, _span, draw_curves, read_metrics, smoothed

STEPS = [{"kind": "step", "iteration": k, "loss": 2.3 * 0.99**k, "rate": 0.001} for k in range(300)]
TESTS = [{"kind": "test", "iteration": k, "net": 0, "accuracy": k / 400, "loss": 2.3 - k / 200} for k in (0, 100, 200)]


def write(folder: Path, rows: list[dict[str, object]], tail: str = "") -> Path:
    path = folder / "gen3" / "logs" / "metrics.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows) + tail)
    return path


def size(path: Path) -> tuple[int, int]:
    with Image.open(path) as picture:
        assert np.asarray(picture.convert("L")).std() > 5  # something is drawn
        return picture.size


@pytest.mark.parametrize("rows", [[], STEPS[:1], TESTS[:1], STEPS[:3] + TESTS[:1], STEPS + TESTS])
def test_any_number_of_points_gives_a_picture(tmp_path: Path, rows: list[dict[str, object]]) -> None:
    out = tmp_path / "curves.png"
    draw_curves(write(tmp_path, rows), out)
    assert size(out) == (990, 715)
    draw_curves(write(tmp_path, rows), out)  # over the old one
    assert list(out.parent.glob("curves.png*")) == [out]


def test_an_exploding_loss_is_drawn(tmp_path: Path) -> None:
    rows = [{"kind": "step", "iteration": k, "loss": 10.0 ** (3 * k), "rate": 0.1} for k in range(12)]
    draw_curves(write(tmp_path, rows), tmp_path / "curves.png")
    assert size(tmp_path / "curves.png") == (990, 715)


def test_what_is_read(tmp_path: Path) -> None:
    odd = [
        {"kind": "step", "iteration": 300, "loss": math.nan, "rate": 1},
        {"kind": "test", "iteration": 50, "net": 1, "accuracy": 0.9, "loss": 1},
        {"kind": "test", "iteration": 300, "net": 0, "accuracy_0": 0.5, "accuracy_1": 0.7, "loss_main": 1.5},
        {"kind": "other", "iteration": 1},
        {"iteration": 2},
    ]
    found = read_metrics(write(tmp_path, STEPS[::-1] + TESTS + odd, tail='{"kind": "step", "iterat'))
    assert found.loss == [(row["iteration"], row["loss"]) for row in STEPS]
    assert found.accuracy == [(0, 0.0), (100, 0.25), (200, 0.5), (300, 0.5)]
    assert found.test_loss[-1] == (300, 1.5)


def test_nothing_is_left_when_drawing_fails(tmp_path: Path) -> None:
    metrics = write(tmp_path, STEPS)
    with pytest.raises(OSError, match="gone"):
        draw_curves(metrics, tmp_path / "gone" / "curves.png")


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=40), st.integers(1, 10))
def test_smoothing_is_the_mean_of_what_was_known(values: list[float], width: int) -> None:
    expected = [np.mean(values[max(0, index + 1 - width) : index + 1]) for index in range(len(values))]
    assert smoothed(values, width) == pytest.approx(expected, abs=1e-9)


def test_empty_metrics_are_lists() -> None:
    assert Metrics().loss is not Metrics().loss


def test_iterations_are_updates() -> None:
    assert Metrics().iterations == 0
    assert Metrics(loss=[(98, 1.0), (99, 0.9)], accuracy=[(0, 0.5)]).iterations == 100
    assert Metrics(loss=[(99, 0.9)], test_loss=[(100, 0.5)]).iterations == 100


def test_the_axis_of_accuracies_shows_where_they_are() -> None:
    low, high = _span([(0, 0.1), (100, 0.95), (200, 0.97), (1000, 0.98)])
    assert (low, high) == pytest.approx((0.93, 1.0))
    assert _span([(0, 0.1)]) == pytest.approx((0.08, 0.12))
    low, high = _span([(0, 0.1), (10, 0.3), (20, 0.7)])
    assert low < 0.3
    assert high > 0.7


def test_the_best_pass_is_a_trained_nets_and_among_equals_has_the_lower_loss() -> None:
    accuracy = [(0, 1.0), (100, 0.9), (200, 0.9), (300, 0.8)]
    assert Metrics(accuracy=accuracy, test_loss=[(100, 0.3), (200, 0.2)]).best == (200, 0.9, 0.2)
    assert Metrics(accuracy=accuracy).best == (100, 0.9, None)
    assert Metrics(accuracy=accuracy[:1]).best is None
