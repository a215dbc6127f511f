"""Channels of one net found again in another."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflow.interpretation.activations.channel_matching import Correlation, by_name, pair, thresholds


def noise(seed: int, channels: int = 5) -> np.ndarray:
    """(pictures, channels, height, width)."""
    return np.random.default_rng(seed).normal(size=(11, channels, 3, 2)).astype("f")


def correlations(first: np.ndarray, second: np.ndarray, size: int = 4) -> np.ndarray:
    sums = Correlation(first.shape[1], second.shape[1])
    for start in range(0, len(first), size):
        sums.add(first[start : start + size], second[start : start + size])
    return sums.values


@given(seed=st.integers(0, 1000), size=st.integers(1, 12), mean=st.sampled_from([0, 1e4]))
def test_batches_add_up_to_the_correlation(seed: int, size: int, mean: float) -> None:
    first, second = noise(seed) + np.float32(mean), noise(seed + 1, 7)
    second[:, 2] += 3 * (first[:, 4] - np.float32(mean))
    rows = [one.transpose(1, 0, 2, 3).reshape(one.shape[1], -1).astype("d") for one in (first, second)]
    expected = np.corrcoef(*rows)[:5, 5:]
    np.testing.assert_allclose(correlations(first, second, size), expected, atol=1e-9)


def test_a_constant_channel_has_no_correlation() -> None:
    first, second = noise(1), noise(2)
    first[:, 3] = 0.1
    second[:, 0] = 0
    found = correlations(first, second)
    assert np.isnan(found[3]).all()
    assert np.isnan(found[:, 0]).all()
    assert np.isfinite(np.delete(found, 3, 0)[:, 1:]).all()


def test_a_channel_that_is_not_finite_has_none() -> None:
    first = noise(1)
    first[4, 2, 0, 0] = np.nan
    assert np.isnan(correlations(first, noise(2))[2]).all()


@settings(deadline=None)  # the first call imports scipy
@given(seed=st.integers(0, 1000), order=st.permutations(range(5)))
def test_a_permuted_copy_is_found_exactly(seed: int, order: list[int]) -> None:
    first = noise(seed)
    least = thresholds([correlations(first, noise(seed + other)) for other in (1, 2, 3, 4)])
    found = pair(correlations(first, 3 * first[:, order] + 1), least)
    assert [one.channel for one in found] == [order.index(channel) for channel in range(5)]
    assert [one.correlation for one in found] == pytest.approx([1] * 5)


def test_what_is_like_by_chance_is_no_match() -> None:
    """One in a hundred by design; with a mean that all channels share, as pictures have it."""
    common = noise(0, 1)
    nets = [noise(seed, 40) + common for seed in range(1, 30)]
    values = [correlations(nets[0], net) for net in nets[1:]]
    least = thresholds(values[:8])
    matched = [one.channel is not None for other in values[8:] for one in pair(other, least)]
    assert np.mean([other.max(axis=1) for other in values]) > 0.6
    assert 0 < np.mean(matched) < 0.03


def test_each_channel_has_a_threshold_of_its_own() -> None:
    """What every net has is no sign of sameness, what no other has is."""
    first = noise(1, 2)
    null = [np.stack([0.9 * first[:, 0] + 0.1 * noise(seed, 1)[:, 0], noise(seed, 1)[:, 0]], 1) for seed in range(9)]
    least = thresholds([correlations(first, net) for net in null])
    assert least[0] > 0.95
    assert least[1] < 0.7


def test_fewer_channels_reach_less_by_chance() -> None:
    first = noise(1, 30)
    null = [correlations(first, noise(seed, 30)) for seed in range(2, 10)]
    assert thresholds(null, 3).mean() < thresholds(null).mean() == thresholds(null, 99).mean()


def test_the_sum_decides_not_the_first_come() -> None:
    values = np.array([[0.9, 0.8], [0.85, 0.2]])
    assert [one.channel for one in pair(values, np.array([0.5, 0.5]))] == [1, 0]


def test_fewer_channels_leave_some_without_a_counterpart() -> None:
    values = np.array([[0.9], [0.95], [0.1]])
    found = pair(values, np.array([0.5, 0.5, 0.5]))
    assert [one.channel for one in found] == [None, 0, None]
    assert [one.reason for one in found] == ["taken", None, "weak"]
    assert [one.correlation for one in found] == [0.9, 0.95, 0.1]


def test_a_channel_that_is_dead_is_named_so() -> None:
    values = np.array([[np.nan, np.nan], [np.nan, 0.7]])
    found = pair(values, thresholds([values, values * 0.5]))
    assert [one.reason for one in found] == ["constant", "weak"]
    assert found[0].correlation is None
    assert pair(values, np.array([np.nan, 0.6]))[1].channel == 1


def test_a_dead_net_gives_no_threshold() -> None:
    assert np.isnan(thresholds([np.full((3, 2), np.nan)] * 2)).all()


def test_classes_match_by_name() -> None:
    found = by_name(("cat", "fox", "dog"), ("dog", "cat"))
    assert [(one.channel, one.reason) for one in found] == [(1, None), (None, "absent"), (0, None)]
