"""A classifier that follows changes of its set gives what one gives that is fitted to the changed set."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.curation import refit
from workflow.curation.refit import Refit


def rows(count: int, width: int = 12, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Three classes around three centres; the last feature is constant."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, count)
    found = rng.normal(size=(count, width)) + 2 * np.eye(3, width)[labels]
    found[:, -1] = 5
    return found.astype(np.float16), labels


def test_it_classifies():
    values, labels = rows(300)
    fitted = Refit(values, labels, 3)
    more, truth = rows(200, seed=1)
    assert (fitted.scores(fitted.solve(), more).argmax(1) == truth).mean() > 0.8
    assert np.abs(fitted.scores(fitted.solve(), values).sum(1) - 1).max() < 1e-3  # the shares of the classes


@given(st.sets(st.integers(0, 59), max_size=40), st.integers(0, 30), st.integers(0, 9))
def test_removed_and_added_is_as_fitted_to_the_changed_set(gone, more, seed):
    values, labels = rows(60, seed=seed)
    extra, own = rows(more, seed=seed + 1)
    changed = Refit(values, labels, 3)
    which = np.array(sorted(gone), np.int64)
    changed.remove(values[which], labels[which])
    changed.add(extra, own)
    kept = np.setdiff1d(np.arange(60), which)
    scratch = Refit(values, labels, 3)
    scratch.remove(values, labels)
    scratch.add(np.concatenate([values[kept], extra]), np.concatenate([labels[kept], own]))
    ours, theirs = (one.scores(one.solve(), values) for one in (changed, scratch))
    np.testing.assert_allclose(ours, theirs, atol=1e-3)


def test_wide_features_are_projected(monkeypatch):
    monkeypatch.setattr(refit, "WIDEST", 40)
    values, labels = rows(400, width=90)
    fitted = Refit(values, labels, 3)
    weights = fitted.solve()
    assert weights.shape == (41, 3)
    assert (fitted.scores(weights, values).argmax(1) == labels).mean() > 0.7


def test_no_row_to_label():
    values, labels = rows(30)
    fitted = Refit(values, labels, 3)
    assert fitted.scores(fitted.solve(), values[:0]).shape == (0, 3)


@pytest.mark.parametrize("block", [7, 64])
def test_blocks_change_nothing(monkeypatch, block):
    values, labels = rows(100)
    whole = Refit(values, labels, 3).solve()
    monkeypatch.setattr(refit, "_BLOCK", block)
    np.testing.assert_allclose(Refit(values, labels, 3).solve(), whole, atol=1e-4)
