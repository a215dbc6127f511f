"""Fit the rule for unknown pictures, see `exams.novelty`: classes by training, limit by validation pictures."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from workflow.engines.base import Array
from workflow.exams.exam import Exam, of_generation
from workflow.exams.novelty import Novelty, Rows, distances, logarithms, numbers
from workflow.exams.passes import passes
from workflow.models.linear_tail import logits_blob, pooled_blobs
from workflow.models.model import Model

KEPT = 0.95
"""The share of true pictures that are to keep their label."""
PICTURES = 10_000
"""Training pictures that are looked at, the first of the shuffled records: seconds, and enough for the covariance."""

_SMALL = 0.05  # of a number's median, added before its logarithm: so a dead channel says nothing
_LEAST = 1e-6


def fitted(model: Model) -> Novelty | None:
    """The rule of a snapshot, by training and validation pictures of its generation.

    Returns:
        None where there are fewer than 19 validation pictures, of which no limit can promise 95 %; where the net has no
        pooling layer or no Softmax; where its numbers are not finite.

    Raises:
        NetError, DataError: the pictures cannot be shown to it.
    """
    generation = model.generation
    counts = {} if generation is None else generation.read().counts
    number = _rank(sum(counts.get("validation", {}).values()))
    maps = pooled_blobs(model.net)
    if generation is None or number is None or not maps or model.output is None:
        return None
    logits = logits_blob(model.net, model.output)
    shown = _shown(model, of_generation(generation.original, model, "train"), maps, logits, PICTURES)
    held_out = _shown(model, of_generation(generation.original, model, "validation"), maps, logits)
    if shown is None or held_out is None:
        return None
    raw, labels = shown
    wide = raw.shape[1] - len(model.classes or ())
    small = (_SMALL * np.median(np.abs(raw[:, :wide]), axis=0) + _LEAST).astype(np.float32)
    rows = logarithms(raw, small)
    if not np.isfinite(rows).all():
        return None
    rule = _rule(rows, labels, maps=maps, logits=logits, small=small)
    away = distances((logarithms(held_out[0], small) - rule.centre) @ rule.whitening, rule.means.astype(np.float64))
    limit = float(np.sort(away)[number])
    if not 0 < limit < math.inf:
        return None
    return Novelty(**(vars(rule) | {"limit": limit}))


def _rank(count: int) -> int | None:
    """Place of the limit among the sorted distances of so many true pictures; None where there are too few.

    The next true picture is within the k-th of n with a probability of k / (n + 1).
    """
    place = math.ceil(KEPT * (count + 1))
    return None if place > count else place - 1


def _rule(rows: Rows, labels: NDArray[np.int64], *, maps: tuple[str, ...], logits: str, small: Array) -> Novelty:
    """The rule with a limit of 1, by profiles of training pictures and their classes."""
    centre, scale = rows.mean(axis=0), rows.std(axis=0) + _LEAST
    standard = (rows - centre) / scale
    classes = np.unique(labels)
    means = np.stack([standard[labels == one].mean(axis=0) for one in classes])
    within = standard - means[np.searchsorted(classes, labels)]
    count, length = rows.shape
    shrunk = length / (length + count)  # few pictures say little of how numbers vary together
    covariance = (1 - shrunk) * within.T @ within / count + shrunk * np.eye(length)
    whitening = np.linalg.cholesky(np.linalg.inv(covariance))
    return Novelty(
        maps=maps,
        logits=logits,
        small=small,
        centre=centre.astype(np.float32),
        whitening=(whitening / scale[:, None]).astype(np.float32),
        means=(means @ whitening).astype(np.float32),
        limit=1.0,
    )


def _shown(
    model: Model, exam: Exam, maps: tuple[str, ...], logits: str, most: int | None = None
) -> tuple[Rows, NDArray[np.int64]] | None:
    """Profiles before the logarithm, (N, D), and the numbers of their classes, (N,); None if it is no classifier."""
    classes = {name: number for number, name in enumerate(model.classes or ())}
    rows: list[Rows] = []
    labels: list[int] = []
    # a training has loaded PyTorch already
    for pictures, values in passes(model, exam, {*maps, logits, model.output or logits}, engine="torch"):
        if not model.classifies(values):
            return None
        rows.append(numbers(values, maps, logits))
        labels += [classes[one.truth or ""] for one in pictures]
        if most is not None and len(labels) >= most:
            break
    return np.concatenate(rows), np.array(labels, np.int64)
