"""`wf why`: the exact contributions to a logit, and the nearest training pictures.

Behind its last nonlinearity a net is linear, so that each logit is the sum over channels and cells of value times
weight, plus a bias (`linear`). The account is made in float64 from the blob that the engine computed, and must sum
to the engine's own logit.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workflow.engines.base import Array
from workflow.errors import FindingError, NetError, UsageError, did_you_mean
from workflow.exams.answers import Progress
from workflow.exams.nearest import Metric, Neighbour, nearest, neighbours
from workflow.generations import Generation
from workflow.models.linear_tail import Stretch, compose, feature_blob, find
from workflow.models.model import Model
from workflow.storage import sha256

Entries = NDArray[np.float64]
"""(C, H, W): one number for each channel and cell; (C, 1, 1) for a blob of single units."""

SUM_ERROR = 1e-4
"""The allowed difference between account and logit. The engine adds in float32: where terms are so large that its own
rounding may exceed this, 4 eps times the sum of their sizes is allowed."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Account:
    """One class's logit."""

    label: str
    probability: float
    logit: float
    """As the engine computed it."""
    bias: float
    contributions: Entries
    """value x weight."""

    @property
    def sum_error(self) -> float:
        """How far contributions and bias are from the logit."""
        return abs(float(self.contributions.sum()) + self.bias - self.logit)

    @property
    def allowed(self) -> float:
        """The greatest `sum_error` that rounding explains."""
        sizes = float(np.abs(self.contributions).sum()) + abs(self.bias)
        return max(SUM_ERROR, 4 * float(np.finfo(np.float32).eps) * sizes)


@dataclass(frozen=True, kw_only=True, eq=False)
class Ledger:
    """The contributions for one class and against another."""

    image: Path
    snapshot: str
    blob: str
    """The blob whose values are the contributions."""
    label: Account
    against: Account
    probabilities: dict[str, float]
    nearest: tuple[Neighbour, ...]
    """Training pictures in the blob before the first InnerProduct; none for a model from elsewhere."""
    note: str | None
    """Where the net is not linear after that blob: what is explained instead."""
    pixels: NDArray[np.uint8]
    """(C, h, w): the input of the net, before mean and scale."""

    @property
    def difference(self) -> Entries:
        """What each entry gave the label more than the other class; with the biases it sums to the logits' distance."""
        return self.label.contributions - self.against.contributions

    @property
    def sum_error(self) -> float:
        """The greater of the two accounts'."""
        return max(self.label.sum_error, self.against.sum_error)

    def json(self) -> dict[str, Any]:
        """As `wf why --json` gives it; contributions in the order of what they give the label more than the other."""
        difference = self.difference
        places = np.argsort(-difference.reshape(-1), kind="stable")
        contributions = []
        for place in places:
            at = np.unravel_index(place, difference.shape)
            channel, row, column = map(int, at)
            contributions.append(
                {
                    "channel": channel,
                    "row": row,
                    "column": column,
                    "value": float(self.label.contributions[at]),
                    "against": float(self.against.contributions[at]),
                    "difference": float(difference[at]),
                }
            )
        return {
            "image": str(self.image),
            "snapshot": self.snapshot,
            "blob": self.blob,
            "label": self.label.label,
            "against": self.against.label,
            "logit": self.label.logit,
            "bias": self.label.bias,
            "against_logit": self.against.logit,
            "against_bias": self.against.bias,
            "sum_error": self.sum_error,
            "note": self.note,
            "probabilities": self.probabilities,
            "nearest": [one.json() for one in self.nearest],
            "contributions": contributions,
        }


def why(
    model: Model,
    image: Path,
    *,
    label: str | None = None,
    against: str | None = None,
    count: int = 8,
    metric: Metric = "l2",
    generations: Iterable[Generation] = (),
    engine: str | None = None,
    progress: Progress | None = None,
) -> Ledger:
    """Account for the score of one picture.

    Args:
        model: the snapshot.
        image: a picture file.
        label: the class to explain; None is the one that it was given.
        against: the class to compare it with; None is the most probable of the others.
        count: how many training pictures to show; 0 for none.
        metric: the distance between features.
        generations: where training pictures may have come from, the oldest first.
        engine: the engine for the picture's blobs; None takes the fastest.
        progress: called with (done, all) while the training set's features must be computed.

    Raises:
        PictureError, DataError: the picture cannot be read.
        UsageError: no class of that name; both classes are the same.
        NetError: the net has no Softmax, or nothing linear before it.
        FindingError: an account does not sum to its logit.
    """
    if model.output is None:
        raise NetError(f"{model.source} has no Softmax layer, so there are no scores", at=model.source)
    stretch, features = find(model.net, model.output), feature_blob(model.net, model.output)
    pixels = model.read(image)
    with model.open(engine) as session:
        blobs = model.forward(session, [pixels])
        weights, biases = compose(stretch, session.params, {name: array.shape[1:] for name, array in blobs.items()})
    scores = model.probabilities(blobs)
    names = [model.class_name(index) for index in range(len(biases))]
    shares = [] if scores is None else scores[0].tolist()
    first, second = _sides(names, shares, label, against)
    values = blobs[stretch.start][0].astype(np.float64)
    logits = blobs[stretch.logits].reshape(-1)

    def account(index: int) -> Account:
        return Account(
            label=names[index],
            probability=float(shares[index]),
            logit=float(logits[index]),
            bias=float(biases[index]),
            contributions=_entries(weights[index] * values),
        )

    ledger = Ledger(
        image=image,
        snapshot=model.name,
        blob=stretch.start,
        label=account(first),
        against=account(second),
        probabilities=dict(zip(names, shares, strict=True)),
        nearest=_near(model, image, blobs[features], features, count, metric, generations, progress),
        note=_note(stretch, features),
        pixels=_seen(model, pixels),
    )
    for one in (ledger.label, ledger.against):
        _verify(one, stretch, model)
    return ledger


def _sides(names: list[str], shares: list[float], label: str | None, against: str | None) -> tuple[int, int]:
    for name in (label, against):
        if name is not None and name not in names:
            raise UsageError(f"no class '{name}'", hint=did_you_mean(name, names))
    if len(names) < 2:
        raise UsageError(f"the net has only one class, '{names[0]}': nothing to compare it with")
    if label is not None and label == against:
        raise UsageError(f"class '{label}' cannot be compared with itself", hint="--against another class")
    likely = sorted(range(len(names)), key=lambda index: -shares[index])
    other = None if against is None else names.index(against)
    first = names.index(label) if label is not None else next(index for index in likely if index != other)
    return first, next(index for index in likely if index != first) if other is None else other


def _entries(values: Entries) -> Entries:
    """As channels and cells: (C, H, W) stays, (C,) becomes (C, 1, 1)."""
    shape = (*values.shape, 1, 1)[:3] if values.ndim <= 3 else (values.shape[0], -1, values.shape[-1])
    return values.reshape(shape)


def _verify(account: Account, stretch: Stretch, model: Model) -> None:
    if account.sum_error <= account.allowed:  # false for NaN too
        return
    total = float(account.contributions.sum()) + account.bias
    raise FindingError(
        f"the account of '{account.label}' sums to {total:.6g}, the logit is {account.logit:.6g}: "
        f"{model.name} is not linear from '{stretch.start}' to '{stretch.logits}'",
        hint="wf verify --snapshot REF",
    )


def _note(stretch: Stretch, features: str) -> str | None:
    if stretch.start == features:
        return None
    return (
        f"the net is not linear from '{features}' on: '{stretch.stopped.name}' ({stretch.stopped.type}) comes "
        f"after it. The account is of '{stretch.start}', the last blob from which it is"
    )


def _near(
    model: Model,
    image: Path,
    values: Array,
    blob: str,
    count: int,
    metric: Metric,
    generations: Iterable[Generation],
    progress: Progress | None,
) -> tuple[Neighbour, ...]:
    if count < 1 or model.generation is None or model.iteration is None:
        return ()
    number = model.generation.number
    found = nearest(model, values, count, blob=blob, metric=metric, progress=progress)
    return neighbours(found, sha256(image), [one for one in generations if one.number <= number])


def _seen(model: Model, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The middle of the picture, where the net sees only a window of it."""
    _, height, width = model.transform.shape((pixels.shape[0], pixels.shape[1], pixels.shape[2]))
    top, left = (pixels.shape[1] - height) // 2, (pixels.shape[2] - width) // 2
    return pixels[:, top : top + height, left : left + width]
