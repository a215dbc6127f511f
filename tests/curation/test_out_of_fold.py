from __future__ import annotations

import numpy as np
import pytest

from workflow.curation.out_of_fold import FOLDS, blend, margin, neighbours, ridge
from workflow.data.folds import folds

NONE = np.empty((0, 2), np.int64)


def clusters(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """float32 (N, 7), standardised, of three overlapping classes."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, count)
    rows = rng.normal(size=(count, 7)).astype(np.float32)
    rows[np.arange(count), labels] += 1.5
    return (rows - rows.mean(axis=0)) / rows.std(axis=0), labels


def test_folds_are_about_equal_and_copies_stay_together() -> None:
    fold = folds(103, np.array([[0, 50], [50, 99], [3, 4]]), FOLDS)
    assert np.bincount(fold).min() >= 18
    assert len(np.bincount(fold)) == 5
    assert fold[0] == fold[50] == fold[99]
    assert fold[3] == fold[4]


def test_ridge_is_what_fitting_anew_for_each_fold_gives() -> None:
    from sklearn.linear_model import Ridge

    rows, labels = clusters(90)
    fold = folds(90, NONE, FOLDS)
    scores = ridge(rows, labels, 3, fold)
    wanted = np.eye(3)[labels]
    centre = wanted.mean(axis=0)
    for number in range(5):
        others, mine = fold != number, fold == number
        fitted = Ridge(alpha=0.3 * 90, fit_intercept=False).fit(rows[others], wanted[others] - centre)
        np.testing.assert_allclose(scores[mine], fitted.predict(rows[mine]) + centre, atol=1e-5)


def test_a_label_has_no_say_in_its_own_score() -> None:
    rows, labels = clusters(90)
    fold = folds(90, NONE, FOLDS)
    turned = labels.copy()
    turned[17] = (labels[17] + 1) % 3
    before, after = (ridge(rows, one, 3, fold) for one in (labels, turned))
    changed = np.abs(after - before).max(axis=1)
    assert changed[fold == fold[17]].max() < 0.03  # by the classes' shares alone
    assert changed[fold != fold[17]].max() > 0.03
    np.testing.assert_array_equal(neighbours(rows, labels, 3)[17], neighbours(rows, turned, 3)[17])


@pytest.mark.parametrize(("count", "asked"), [(90, 11), (6, 50)])
def test_neighbours_are_the_others_that_are_nearest_by_cosine(count: int, asked: int) -> None:
    from sklearn.neighbors import NearestNeighbors

    rows, labels = clusters(count, seed=4)
    rows = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    near = min(asked, count - 1)
    indices = NearestNeighbors(n_neighbors=near + 1, metric="cosine").fit(rows).kneighbors(rows)[1]
    expected = np.array([
        np.bincount(labels[[one for one in row if one != number]], minlength=3) / near
        for number, row in enumerate(indices)
    ])  # fmt: skip
    np.testing.assert_allclose(neighbours(rows, labels, 3, asked), expected, atol=1.01 / near)
    assert np.mean(np.abs(neighbours(rows, labels, 3, asked) - expected) < 1e-9) > 0.95  # half precision breaks ties


def test_equal_pictures_are_each_others_neighbours() -> None:
    rows = np.zeros((80, 7), np.float32)
    labels = np.arange(80) % 2
    shares = neighbours(rows, labels, 2)
    np.testing.assert_allclose(shares.sum(axis=1), 1)


def test_margin() -> None:
    scores = np.array([[0.2, 0.7, 0.1], [0.2, 0.7, 0.1]])
    np.testing.assert_allclose(margin(scores, np.array([1, 2])), [-0.5, 0.6])


def test_blend_gives_probabilities_that_are_as_sure_as_they_are_right() -> None:
    rows, labels = clusters(3000)
    scores = ridge(rows, labels, 3, folds(3000, NONE, FOLDS))
    likely = blend(scores, neighbours(rows, labels, 3), labels=labels)
    np.testing.assert_allclose(likely.sum(axis=1), 1)
    assert abs(likely.max(axis=1).mean() - (likely.argmax(axis=1) == labels).mean()) < 0.05


def test_scores_that_say_nothing_give_equal_probabilities() -> None:
    np.testing.assert_allclose(blend(np.ones((4, 2)), labels=np.array([0, 1, 0, 1])), 0.5)
