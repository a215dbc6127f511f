"""The temperature of the calibrated confidence."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from workflow.evaluation import metrics
from workflow.exams.temperature import logarithms, scaled, temperature

RNG = np.random.default_rng(3)


def softmax(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    powers = np.exp(scores - scores.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def drawn(count: int, true: float, classes: int = 4) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Logits, and labels that are as likely as softmax(logits / true) says."""
    scores = RNG.normal(scale=3, size=(count, classes))
    ladder = softmax(scores / true).cumsum(1)
    return scores, (RNG.random((count, 1)) > ladder).sum(1).clip(0, classes - 1)


@pytest.mark.parametrize("true", [0.5, 1.0, 2.5])
def test_it_finds_the_temperature_that_the_labels_were_drawn_with(true: float) -> None:
    scores, labels = drawn(20_000, true)
    assert temperature(scores, labels) == pytest.approx(true, rel=0.04)
    assert temperature(logarithms(softmax(scores)), labels) == pytest.approx(true, rel=0.04)


def test_it_is_the_best_of_a_grid() -> None:
    scores, labels = drawn(50, 2.0, classes=3)
    targets = np.full(scores.shape, 1 / 52 / 2)
    targets[np.arange(50), labels] = 51 / 52
    losses = {value: -(targets * np.log(softmax(scores / value))).sum() for value in np.geomspace(0.2, 20, 2000)}
    assert temperature(scores, labels) == pytest.approx(min(losses, key=losses.__getitem__), rel=0.01)


def test_a_few_pictures_that_are_all_right_do_not_make_it_certain() -> None:
    scores = RNG.normal(size=(10, 2))
    sure = scaled(softmax(scores), temperature(scores, scores.argmax(1)))
    assert sure.max(1).mean() < 0.99


def test_ends_and_one_class() -> None:
    assert temperature(np.zeros((5, 1)), np.zeros(5, np.int64)) == 1
    assert temperature(np.zeros((0, 3)), np.zeros(0, np.int64)) == 1
    scores, labels = drawn(300, 1.0)
    assert temperature(scores, RNG.permutation(labels)) == 50  # labels that have nothing to do with the scores
    assert 0.02 <= temperature(scores * 1e-6, labels) < 0.03


def test_scaled_is_the_softmax_of_divided_logits() -> None:
    scores = RNG.normal(scale=4, size=(6, 5))
    given = softmax(scores).astype(np.float32)
    found = scaled(given, 1.7)
    np.testing.assert_allclose(found, softmax(scores / 1.7), rtol=1e-4)
    np.testing.assert_allclose(scaled(given, 1), given, rtol=1e-6)
    assert (found.argsort(1) == given.argsort(1)).all()
    certain = scaled(np.array([[1, 0, 0]], np.float32), 2)
    assert np.isfinite(certain).all()
    assert certain[0, 0] == pytest.approx(1)


def test_the_calibration_error_shrinks() -> None:
    scores, labels = drawn(8000, 3.0)
    given = softmax(scores)
    errors = [
        metrics.calibration(rows.max(1), rows.argmax(1) == labels).ece
        for rows in (given, scaled(given, temperature(scores, labels)))
    ]
    assert errors[0] > 0.1
    assert errors[1] < 0.03
