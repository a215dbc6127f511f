"""Scores against scikit-learn and statsmodels, and against arithmetic by hand."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflow.evaluation import metrics

RNG = np.random.default_rng(7)
CLASSES = 4
TRUTH = RNG.choice(CLASSES, 211, p=(0.5, 0.3, 0.15, 0.05))
PREDICTED = np.where(RNG.random(211) < 0.6, TRUTH, RNG.choice(CLASSES, 211))
PROBABILITY = RNG.uniform(0.25, 1, 211).astype(np.float32)


@pytest.mark.parametrize(("correct", "count"), [(0, 7), (7, 7), (1, 1), (3, 11), (7393, 10_000), (1, 100_000)])
def test_the_interval_is_wilsons(correct: int, count: int) -> None:
    from statsmodels.stats.proportion import proportion_confint

    expected = proportion_confint(correct, count, alpha=0.05, method="wilson")
    assert metrics.interval(correct, count) == pytest.approx(expected, abs=1e-12)


@given(st.integers(0, 500), st.integers(0, 500))
def test_the_interval_holds_the_share(correct: int, more: int) -> None:
    low, high = metrics.interval(correct, correct + more)
    assert 0 <= low < high <= 1
    if correct + more:
        assert low <= correct / (correct + more) <= high


def test_an_interval_of_nothing_and_of_nonsense() -> None:
    assert metrics.interval(0, 0) == (0, 1)
    for correct, count in ((3, 2), (-1, 2)):
        with pytest.raises(ValueError, match=f"{correct} of {count}"):
            metrics.interval(correct, count)


def test_confusion_by_hand() -> None:
    found = metrics.confusion(np.array([0, 0, 1, -1, 2]), np.array([0, 2, 1, 1, 0]), 3)
    assert found.tolist() == [[1, 0, 1], [0, 1, 0], [1, 0, 0]]
    assert found.dtype == np.int64


def test_confusion_and_classes_against_scikit_learn() -> None:
    from sklearn.metrics import balanced_accuracy_score, confusion_matrix, precision_recall_fscore_support

    found = metrics.confusion(TRUTH, PREDICTED, CLASSES)
    assert found.tolist() == confusion_matrix(TRUTH, PREDICTED).tolist()
    scores = metrics.per_class(found)
    expected = precision_recall_fscore_support(TRUTH, PREDICTED)
    for ours, theirs in zip((scores.precision, scores.recall, scores.f1, scores.support), expected, strict=True):
        assert ours == pytest.approx(theirs, abs=1e-12)
    assert metrics.balanced_accuracy(found) == pytest.approx(balanced_accuracy_score(TRUTH, PREDICTED), abs=1e-12)


def test_what_is_0_by_0_is_not_a_number_and_agrees_with_scikit_learn() -> None:
    from sklearn.metrics import balanced_accuracy_score, precision_recall_fscore_support

    truth, predicted = np.array([0, 0, 1, 1, 2]), np.array([0, 1, 1, 1, 0])  # 2 never predicted, 3 not there at all
    scores = metrics.per_class(metrics.confusion(truth, predicted, 4))
    expected = precision_recall_fscore_support(truth, predicted, labels=range(4), zero_division=np.nan)
    for ours, theirs in zip((scores.precision, scores.recall, scores.f1), expected, strict=False):
        np.testing.assert_allclose(ours, theirs, atol=1e-12)
    assert math.isnan(scores.precision[2])
    assert math.isnan(scores.recall[3])
    assert scores.f1[2] == 0
    ours = metrics.balanced_accuracy(metrics.confusion(truth, predicted, 4))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert ours == pytest.approx(balanced_accuracy_score(truth, predicted))
    assert math.isnan(metrics.balanced_accuracy(np.zeros((2, 2), np.int64)))


def plain_ece(probability: list[float], correct: list[bool], bins: int) -> float:
    """The definition, picture by picture: sum over bins of n_b/n |right_b/n_b - mean probability_b|."""
    total = 0.0
    for number in range(bins):
        inside = [
            index
            for index, value in enumerate(probability)
            if number / bins < value <= (number + 1) / bins or (value == number == 0)
        ]
        if inside:
            right = sum(correct[index] for index in inside) / len(inside)
            total += len(inside) * abs(right - sum(probability[index] for index in inside) / len(inside))
    return total / len(probability)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 1, width=32), st.booleans()), min_size=1, max_size=60),
    st.sampled_from([1, 2, 4, 8, 16]),  # edges that are numbers of the machine
)
def test_ece_is_its_definition(answers: list[tuple[float, bool]], bins: int) -> None:
    probability, correct = (list(one) for one in zip(*answers, strict=True))
    found = metrics.calibration(np.array(probability, np.float32), np.array(correct), bins)
    assert found.ece == pytest.approx(plain_ece(probability, correct, bins), abs=1e-9)
    assert found.count.sum() == len(probability)


def test_ece_with_fifteen_bins_and_calibrated_answers() -> None:
    probability = np.repeat([0.55, 0.95], (20, 40)).astype(np.float32)
    correct = np.concatenate([np.arange(20) < 11, np.arange(40) < 38])
    found = metrics.calibration(probability, correct)
    assert found.ece == pytest.approx(0, abs=1e-6)
    assert len(found.count) == 15
    assert (found.count[8], found.count[14]) == (20, 40)
    assert np.isnan(found.accuracy[0])
    assert metrics.calibration(probability, ~correct).ece == pytest.approx(abs(0.45 - 0.55) / 3 + 0.9 * 2 / 3, abs=1e-6)
    assert math.isnan(metrics.calibration(probability[:0], correct[:0]).ece)


def test_thresholds_count_what_is_believed() -> None:
    rows = metrics.thresholds(TRUTH, PREDICTED, PROBABILITY, CLASSES)
    assert [one.threshold for one in rows] == list(metrics.THRESHOLDS)
    for one in rows:
        believed = one.threshold <= PROBABILITY
        assert one.answered == believed.sum()
        assert one.wrong == (believed & (TRUTH != PREDICTED)).sum()
        assert one.accuracy == pytest.approx((TRUTH == PREDICTED)[believed].mean())
        for index in range(CLASSES):
            said, right = believed & (index == PREDICTED), believed & (index == PREDICTED) & (index == TRUTH)
            if said.any():
                assert one.scores.precision[index] == pytest.approx(right.sum() / said.sum())
            else:
                assert math.isnan(one.scores.precision[index])
            assert one.scores.recall[index] == pytest.approx(right.sum() / (index == TRUTH).sum())


def test_a_threshold_that_nothing_reaches() -> None:
    (row,) = metrics.thresholds(np.array([0, -1]), np.array([0, 1]), np.array([0.9, 1.0]), 2, [0.95])
    assert (row.answered, row.wrong) == (0, 0)  # what has no label is not counted
    assert math.isnan(row.accuracy)
