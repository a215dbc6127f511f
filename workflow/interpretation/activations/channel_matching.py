"""Match the channels of two nets by the correlation of their activations on the same pictures.

Channels of nets that were trained apart do not correspond by number. Two channels that see the same thing have highly
correlated activations [1]; the pairs are those of the greatest total correlation, each channel in one at most.

On natural pictures even channels of untrained filters correlate (most of a picture is its coarse light and dark), so
that a fixed threshold, or one from shuffled pictures, would match nearly everything. The threshold is therefore each
channel's own: the correlation that its best counterpart reaches in a net of the same weights in random order, which has
the same layers, the same distribution of weights and the same pictures, but has learned nothing.

[1] Li, Yosinski, Clune, Lipson, Hopcroft: Convergent learning. ICLR 2016.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from workflow.engines.base import Array

Numbers = NDArray[np.float64]

Reason = Literal["constant", "weak", "taken", "absent", "no blob", "other size"]
"""Why a channel has no counterpart: it never varies, so that it has no correlation (or every net that it could be
compared with never does); no channel reaches its threshold; those that do are the counterparts of others; the class is
not known there; the net has no such blob; the blob's maps have another height or width."""

CHANCE = 0.01
"""The tolerated rate of false matches, measured on an untrained net."""

_SIGMAS = 2.326347874  # the standard normal distribution's quantile of 1 - CHANCE
_CERTAIN = 1 - 1e-9  # a correlation of 1 has no Fisher transform
_STILL = 1e-6  # of the greatest value: a deviation below it is float32's rounding


class Correlation:
    """Pearson's correlation of the channels of two blobs, from sums that are added up batch by batch.

    A sample is one position of one picture. Memory is (A + B + A B) float64, whatever the number of samples.

    Args:
        first: A, the channels of one blob.
        second: B, those of the other.
    """

    def __init__(self, first: int, second: int) -> None:
        self._origin: tuple[Numbers, Numbers] | None = None
        self._count = 0
        self._sums = np.zeros(first), np.zeros(second)
        self._squares = np.zeros(first), np.zeros(second)
        self._greatest = np.zeros(first), np.zeros(second)
        self._products = np.zeros((first, second))

    def add(self, first: Array, second: Array) -> None:
        """Add the samples of a batch: (N, A, ...) and (N, B, ...), alike but for the channels."""
        rows = _samples(first), _samples(second)
        if self._origin is None:  # sums about a first sample lose no digits to a large mean
            self._origin = rows[0][:, 0].copy(), rows[1][:, 0].copy()
        for place, row in enumerate(rows):
            np.maximum(self._greatest[place], np.abs(row).max(axis=1), out=self._greatest[place])
            row -= self._origin[place][:, None]
            self._sums[place][:] += row.sum(axis=1)
            self._squares[place][:] += np.einsum("cs,cs->c", row, row)
        self._count += rows[0].shape[1]
        self._products += rows[0] @ rows[1].T

    @property
    def values(self) -> Numbers:
        """float64 (A, B), -1..1; NaN where either channel is constant or not finite."""
        count = max(self._count, 1)
        means = [sums / count for sums in self._sums]
        deviations = []
        for mean, squares, greatest in zip(means, self._squares, self._greatest, strict=True):
            with np.errstate(invalid="ignore"):
                deviation = np.sqrt(np.maximum(squares / count - mean**2, 0))
                deviations.append(np.where(deviation > _STILL * greatest, deviation, np.nan))
        with np.errstate(invalid="ignore"):
            found = (self._products / count - np.outer(*means)) / np.outer(*deviations)
            return np.where(np.isfinite(found), found.clip(-1, 1), np.nan)


def thresholds(null: Sequence[Numbers], width: int | None = None) -> Numbers:
    """The correlation that a channel's best counterpart must reach to be significant.

    z = artanh r of the best counterpart (Fisher's transform) is taken to be normal, with each channel's own mean and a
    deviation common to all channels: a handful of nets is too few for a quantile of each channel, but enough for that.

    Args:
        null: the correlations (A, B) with each of some nets that learned nothing.
        width: how many channels there will be to choose from; None is B. More to choose from reach more by chance;
            beyond B nothing is known, and B is taken.

    Returns:
        float64 (A,), 0..1; NaN for a channel without any correlation.
    """
    best = np.stack([np.nan_to_num(one[:, :width], nan=-np.inf).max(axis=1, initial=-np.inf) for one in null])
    defined = np.isfinite(best)
    z = np.arctanh(np.where(defined, best, 0).clip(-_CERTAIN, _CERTAIN))
    count = defined.sum(axis=0)
    mean = np.divide(z.sum(axis=0), count, out=np.full(best.shape[1], np.nan), where=count > 0)
    apart = np.where(defined, z - np.nan_to_num(mean), 0)
    deviation = np.sqrt((apart**2).sum() / max(int((count - 1).clip(0).sum()), 1))
    found: Numbers = np.tanh(mean + _SIGMAS * deviation).clip(0, 1)
    return found


@dataclass(frozen=True, kw_only=True)
class Match:
    """The counterpart of a channel of the reference in another net."""

    channel: int | None
    """Its counterpart's number; None if it has none."""
    correlation: float | None = None
    """With the counterpart; without one, the highest with any channel. None where there is none, and for classes."""
    threshold: float | None = None
    """The correlation that a counterpart has to reach."""
    reason: Reason | None = None
    """Why there is no counterpart."""


def pair(correlations: Numbers, least: Numbers) -> list[Match]:
    """Match channels so that the correlations of all pairs, each above its threshold, have the greatest sum.

    Args:
        correlations: (A, B), NaN where undefined.
        least: (A,), of `thresholds`.

    Returns:
        A match for each of the A channels; none shares its counterpart.
    """
    from scipy.optimize import linear_sum_assignment  # 0.3 s that showing one net's picture does not need

    with np.errstate(invalid="ignore"):
        gain = np.where(correlations >= least[:, None], correlations, 0).clip(0)
    chosen = {
        int(a): int(b) for a, b in zip(*linear_sum_assignment(gain, maximize=True), strict=True) if gain[a, b] > 0
    }
    return [_match(correlations[a], gain[a], float(least[a]), chosen.get(a)) for a in range(len(correlations))]


def by_name(reference: Sequence[str], other: Sequence[str]) -> list[Match]:
    """Match the outputs of two nets by the classes that they stand for, for each of the reference's classes."""
    numbers = {name: number for number, name in enumerate(other)}
    return [
        Match(channel=numbers[name]) if name in numbers else Match(channel=None, reason="absent") for name in reference
    ]


def _match(row: Numbers, gain: Numbers, least: float, chosen: int | None) -> Match:
    if np.isnan(row).all() or np.isnan(least):
        return Match(channel=None, reason="constant")
    if chosen is not None:
        return Match(channel=chosen, correlation=float(row[chosen]), threshold=least)
    reason: Reason = "taken" if gain.any() else "weak"
    return Match(channel=None, correlation=float(np.nanmax(row)), threshold=least, reason=reason)


def _samples(blob: Array) -> Numbers:
    channels = blob.shape[1]
    first = blob.reshape(len(blob), channels, -1).transpose(1, 0, 2)  # (channels, N, positions)
    return first.reshape(channels, -1).astype(np.float64)
