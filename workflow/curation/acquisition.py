"""The acquisition score of a picture: disagreement between generations, margin and novelty.

    disagreement  Jensen-Shannon divergence between the generations' best snapshots, over the classes that all know
    margin        of the newest: the smaller between its two likeliest classes, the better
    novelty       distance to the nearest training picture in the features of the newest

Each is turned into ranks (0 the lowest of the pile, 1 the highest), so that none needs a scale, and the ranks are added
by `WEIGHTS`. Novelty counts less: a picture that is unlike all others is often junk.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workflow.engines.base import Array
from workflow.exams.committee import Member, Panel, column

Floats = NDArray[np.float64]

WEIGHTS = {"disagreement": 0.4, "margin": 0.4, "novelty": 0.2}

_APART = 0.1  # between the generations' probabilities of their common answer: no disagreement below
_TORN = 0.5  # a margin above which the net is not undecided: 0.75 against 0.25 of two classes
_FAR = 1.2  # times the usual distance from the training set: not novel below


@dataclass(frozen=True, kw_only=True, eq=False)
class Worth:
    """The score of each picture and its parts, (N,)."""

    panel: Panel
    disagreement: Floats
    """0..1, the share of the greatest divergence possible."""
    margin: Floats
    """Probability of the likeliest class less that of the second, 0..1."""
    novelty: Floats
    """Distance to the nearest training picture."""
    weights: dict[str, float]
    """They sum to 1; disagreement has weight 0 where only one generation was asked."""
    ranks: dict[str, Floats]
    """Rank of each part that has a weight, 0..1, 1 for the picture most worth labelling."""

    @property
    def score(self) -> Floats:
        """The weighted mean of ranks, 0..1."""
        total = np.zeros(len(self.margin))
        for name, weight in self.weights.items():
            total += weight * self.ranks[name]
        return total

    def reason(self, index: int) -> str:
        """The reasons in words: each part whose number stands out, or that none does."""
        words = {"disagreement": self._disagreement, "margin": self._margin, "novelty": self._novelty}
        found = [said for name in self.weights if (said := words[name](index)) is not None]
        label, probability = likely(self.panel.newest, index)[0]
        return "; ".join(found) or f"nothing special ({label} {probability:.2f})"

    def _disagreement(self, index: int) -> str | None:
        said = [(one.generation, *likely(one, index)[0]) for one in self.panel.members]
        last, label, probability = said[-1]
        for generation, other, theirs in reversed(said[:-1]):
            if other != label:
                return f"{generation} says {other} {theirs:.2f}, {last} {label} {probability:.2f}"
        least, most = min(one[2] for one in said), max(one[2] for one in said)
        if most - least < _APART:
            return None
        return f"generations give {label} {least:.2f} to {most:.2f}"

    def _margin(self, index: int) -> str | None:
        if self.margin[index] > _TORN:
            return None
        two = likely(self.panel.newest, index)
        return "undecided: " + ", ".join(f"{name} {share:.2f}" for name, share in two)

    def _novelty(self, index: int) -> str | None:
        times = self.novelty[index] / max(float(np.median(self.novelty)), 1e-12)
        if times < _FAR:
            return None
        return f"unlike the training set ({times:.1f} × as far)"


def weigh(panel: Panel, novelty: Floats) -> Worth:
    """Score each picture.

    Args:
        panel: the generations' predictions.
        novelty: the distance of each picture to the nearest training picture, (N,).
    """
    weights = dict(WEIGHTS)
    if len(panel.members) < 2:
        del weights["disagreement"]  # a single snapshot cannot disagree
    total = sum(weights.values())
    disagreement, margin = divergence(_shared(panel)), _margin(panel.newest.probabilities)
    parts = {"disagreement": disagreement, "margin": -margin, "novelty": novelty}
    return Worth(
        panel=panel,
        disagreement=disagreement,
        margin=margin,
        novelty=novelty,
        weights={name: weight / total for name, weight in weights.items()},
        ranks={name: _ranks(parts[name]) for name in weights},
    )


def likely(member: Member, index: int) -> list[tuple[str, float]]:
    """The two likeliest classes of a picture with their probabilities; one where the member knows only one."""
    row = member.probabilities[index]
    return [(member.classes[place], float(row[place])) for place in np.argsort(-row, kind="stable")[:2].tolist()]


def divergence(opinions: Sequence[Array]) -> Floats:
    """Jensen-Shannon: the entropy of the mean opinion less the mean entropy, as a share of log(generations).

    Source: Lin, Divergence measures based on the Shannon entropy, IEEE Trans. Inf. Theory 37 (1991), eq. 5.1.

    Args:
        opinions: for each generation float (N, classes), rows that sum to 1.

    Returns:
        (N,): 0 where all agree, 1 where each is certain of a class of its own.
    """
    stacked = np.stack([one.astype(np.float64) for one in opinions])  # (generations, N, classes)
    if len(stacked) < 2 or stacked.shape[2] < 2:
        return np.zeros(stacked.shape[1])
    apart = _entropy(stacked.mean(0)) - _entropy(stacked).mean(0)
    share: Floats = np.clip(apart / math.log(len(stacked)), 0, 1)
    return share


def _entropy(opinions: Floats) -> Floats:
    """-sum(p log p) of distributions along the last axis, in nats."""
    shares = opinions / opinions.sum(-1, keepdims=True)
    logs = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
    total: Floats = -(shares * logs).sum(-1)
    return total


def _shared(panel: Panel) -> list[Array]:
    """Each member's probabilities over the classes that all know, made to sum to 1; uniform where all are 0."""
    names = [name for name in panel.newest.classes if all(name in one.classes for one in panel.members)]
    found = []
    for one in panel.members:
        part = one.probabilities[:, column(one, names)].astype(np.float64)
        total = part.sum(1, keepdims=True)
        even = np.full_like(part, 1 / max(len(names), 1))
        found.append(np.divide(part, total, out=even, where=total > 0).astype(np.float32))
    return found


def _margin(probabilities: Array) -> Floats:
    two = np.sort(probabilities.astype(np.float64), axis=1)[:, -2:]
    return two[:, -1] - two[:, 0] if two.shape[1] > 1 else two[:, 0]


def _ranks(values: Floats) -> Floats:
    """Ranks from 0 for the lowest to 1 for the highest; equal numbers get equal ranks."""
    ordered = np.sort(values)
    lowest, above = np.searchsorted(ordered, values, "left"), np.searchsorted(ordered, values, "right")
    ranks: Floats = (lowest + above - 1) / 2 / max(len(values) - 1, 1)
    return ranks
