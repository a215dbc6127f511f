"""A baseline: logistic regression on 8 x 8 colours.

Where it is right as often as the net, colours and their places separate the classes, and nothing shows that the net
sees more.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workflow.data.thumbnails import SIDE, areas
from workflow.formats.datum import decode_all
from workflow.formats.lmdb import Reader
from workflow.generations import Generation, places
from workflow.storage import atomic_write

PICTURES = 10_000
"""The most training pictures that it learns from; the records' order is random."""

_VERSION = 1
_BATCH = 500
_STEPS = 200  # of L-BFGS, at most

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Colours:
    """The baseline's result on a generation's own test set."""

    correct: int
    count: int
    """Test pictures."""
    trained_on: int
    """Training pictures that it learnt from."""

    @property
    def accuracy(self) -> float:
        """0..1."""
        return self.correct / self.count

    def json(self) -> dict[str, Any]:
        """Keys accuracy, correct, count, trained_on."""
        return {"accuracy": self.accuracy} | dict(vars(self))


def colours(generation: Generation) -> Colours | None:
    """The baseline of a generation's data set, computed once for each data set (seconds).

    Returns:
        None where there are no test pictures.

    Raises:
        DatabaseError: a database is missing or damaged.
    """
    original = generation.original
    path = places.colours(generation)
    record = original.read()
    key = json.dumps([_VERSION, record.hashes, record.counts], sort_keys=True)
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document.pop("key") == key:
            return Colours(**document)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass  # not computed yet, or of another data set
    found = _measure(original, len(record.classes))
    if found is not None:
        path.parent.mkdir(exist_ok=True)
        atomic_write(path, (json.dumps({"key": key} | vars(found)) + "\n").encode())
    return found


def _measure(generation: Generation, classes: int) -> Colours | None:
    train, labels = _features(generation, "train", PICTURES)
    test, truth = _features(generation, "test", None)
    if not len(test) or not len(train):
        return None
    centre, spread = train.mean(0), train.std(0) + 1e-6
    weights = fit((train - centre) / spread, labels, classes)
    predicted = ((test - centre) / spread @ weights[:-1] + weights[-1]).argmax(1)
    return Colours(correct=int((predicted == truth).sum()), count=len(truth), trained_on=len(labels))


def fit(x: Floats, labels: NDArray[np.integer], classes: int) -> Floats:
    """Multinomial logistic regression: the mean cross entropy and |W|^2 / 2N, by L-BFGS.

    The same objective as scikit-learn's LogisticRegression with C = 1; the biases are not decayed.

    Args:
        x: (N, D), standardised.
        labels: (N,), 0 .. classes-1.
        classes: K.

    Returns:
        (D + 1, K): the weights, and the biases in the last row.
    """
    from scipy.optimize import minimize  # 0.2 s that only a new data set needs

    count, width = x.shape
    rows = np.arange(count)

    def objective(flat: Floats) -> tuple[float, Floats]:
        weights = flat.reshape(width + 1, classes)
        scores = x @ weights[:-1] + weights[-1]
        scores -= scores.max(1, keepdims=True)
        shares = np.exp(scores)
        total = shares.sum(1, keepdims=True)
        loss = float((np.log(total[:, 0]) - scores[rows, labels]).mean()) + float((weights[:-1] ** 2).sum()) / 2 / count
        slope = shares / total
        slope[rows, labels] -= 1
        gradient = np.vstack([x.T @ slope + weights[:-1], slope.sum(0)]) / count
        return loss, gradient.ravel()

    start = np.zeros((width + 1) * classes)
    found = minimize(objective, start, jac=True, method="L-BFGS-B", options={"maxiter": _STEPS})
    return np.asarray(found.x, np.float64).reshape(width + 1, classes)


def _features(generation: Generation, split: str, most: int | None) -> tuple[Floats, NDArray[np.int64]]:
    """(N, C * 64) mean colours of an 8 x 8 grid, 0..255, and the labels (N,)."""
    parts, labels = [], []
    with Reader(generation.database(split)) as reader:
        count = len(reader) if most is None else min(len(reader), most)
        for start in range(0, count, _BATCH):
            pixels, numbers = decode_all(reader.values(start, min(_BATCH, count - start)))  # (N, C, H, W)
            rows, columns = areas(pixels.shape[2]), areas(pixels.shape[3]).T
            parts.append((rows @ pixels.astype(np.float32) @ columns).reshape(len(pixels), -1))
            labels.append(numbers)
    if not parts:
        return np.empty((0, SIDE * SIDE)), np.empty(0, np.int64)
    return np.concatenate(parts).astype(np.float64), np.concatenate(labels).astype(np.int64)
