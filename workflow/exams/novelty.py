"""Whether a picture is like those that a net was trained on, or `unknown`: its distance to the classes.

A picture's profile is, for each channel of the pooled maps (pool1, pool2 and pool3 in cifar10_quick), the logarithm of
the mean and of the standard deviation over its places, and the logits. Its distance is that of Mahalanobis to the
nearest class's mean profile, with the covariance that all classes share (Lee et al. 2018, section 2.1):

    distance = min_k sqrt((x - mean[k])^T inverse(covariance) (x - mean[k])) / limit

The limit is the distance that 95 % of the validation pictures keep to, so that a picture beyond 1 is `unknown`.
docs/unknown.md has what was measured of this and of other rules.

    snapshots/cifar10_quick_iter_6000.unknown.npz      beside the weights, of which it holds the hash
"""

from __future__ import annotations

import hashlib
import json
import zipfile
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workflow.engines.base import Array
from workflow.models.model import Model
from workflow.storage import replacing

UNKNOWN = "unknown"
"""The label of a picture beyond the limit."""

DISTANCE = "/distance"
"""Where `reduced` puts the distances; no blob's name."""

_FORMAT = "wf.unknown/1"

Rows = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Novelty:
    """The rule of one snapshot. D is the length of a profile, C the number of classes."""

    maps: tuple[str, ...]
    """Blobs (N, channels, H, W)."""
    logits: str
    """The blob that the Softmax reads, (N, C)."""
    small: Array
    """float32 (D - C,): what is added before the logarithm."""
    centre: Array
    """float32 (D,): the mean profile of all training pictures."""
    whitening: Array
    """float32 (D, D): (x - centre) @ whitening has the identity as the classes' covariance."""
    means: Array
    """float32 (C, D): each class's mean profile, whitened."""
    limit: float
    """The distance that 95 % of the validation pictures keep to."""

    @property
    def blobs(self) -> set[str]:
        """What `distance` needs of the net."""
        return {*self.maps, self.logits}

    @cached_property
    def identity(self) -> str:
        """A hash of the rule."""
        facts = hashlib.sha256(repr((self.maps, self.logits, self.limit)).encode())
        for array in (self.small, self.centre, self.whitening, self.means):
            facts.update(np.ascontiguousarray(array).tobytes())
        return facts.hexdigest()

    def distance(self, values: Mapping[str, Array]) -> Rows:
        """How far pictures are from the nearest class, float64 (N,) in units of the limit: `unknown` beyond 1.

        Args:
            values: blob -> (N, ...), with those of `blobs`.
        """
        return distances(self._whitened(values), self.means.astype(np.float64)) / self.limit

    def _whitened(self, values: Mapping[str, Array]) -> Rows:
        rows = logarithms(numbers(values, self.maps, self.logits), self.small)
        whitened: Rows = (rows - self.centre) @ self.whitening
        return whitened


def reduced(values: Mapping[str, Array], blobs: Collection[str], rule: Novelty | None) -> dict[str, NDArray[Any]]:
    """The blobs of a pass that were asked for, and by the rule the distances (N,) under the name `DISTANCE`.

    The maps that the rule looks at are not among them, unless asked for: they take a thousand times the room.
    """
    found: dict[str, NDArray[Any]] = {name: values[name] for name in blobs if name in values}
    if rule is not None:
        found[DISTANCE] = rule.distance(values)
    return found


def path_of(weights: Path) -> Path:
    """Where the rule for a file of weights lies: `X.unknown.npz` beside `X.caffemodel` or `X.caffemodel.h5`."""
    name = weights.name.removesuffix(".h5").removesuffix(".caffemodel")
    return weights.with_name(f"{name}.{UNKNOWN}.npz")


def read(model: Model) -> Novelty | None:
    """The rule beside the model's weights; None without one, or if it is damaged or of other weights."""
    return None if model.file is None else load(path_of(model.file), model)


def load(path: Path, model: Model) -> Novelty | None:
    """The rule in a file; None without it, or if it is damaged or of other weights than the model's."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as packed:
            facts = json.loads(packed["facts"].tobytes())
            if facts["format"] != _FORMAT or facts["weights"] != _key(model):
                return None
            arrays = {name: packed[name] for name in ("small", "centre", "whitening", "means")}
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile, zlib.error):
        return None
    return Novelty(maps=tuple(facts["maps"]), logits=facts["logits"], limit=facts["limit"], **arrays)


def write(path: Path, model: Model, rule: Novelty) -> None:
    """Write the rule, as a whole or not at all.

    Raises:
        OSError: as the operating system says it.
    """
    facts: dict[str, Any] = {
        "format": _FORMAT,
        "weights": _key(model),
        "maps": rule.maps,
        "logits": rule.logits,
        "limit": rule.limit,
    }
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(
            file,
            allow_pickle=False,
            facts=np.frombuffer(json.dumps(facts).encode(), np.uint8),
            small=rule.small,
            centre=rule.centre,
            whitening=rule.whitening,
            means=rule.means,
        )


def numbers(values: Mapping[str, Array], maps: tuple[str, ...], logits: str) -> Rows:
    """Means and deviations of all channels, then the logits: (N, D)."""
    parts = []
    for name in maps:
        wide = values[name].astype(np.float64)
        parts += [wide.mean(axis=(2, 3)), wide.std(axis=(2, 3))]
    last = values[logits]
    return np.concatenate([*parts, last.reshape(len(last), -1)], axis=1)


def logarithms(rows: Rows, small: Array) -> Rows:
    """All but the logits by their logarithm."""
    return np.concatenate([np.log(np.abs(rows[:, : len(small)]) + small), rows[:, len(small) :]], axis=1)


def distances(whitened: Rows, means: Rows) -> Rows:
    """Of each row to the nearest mean, (N,)."""
    squares = np.stack([np.square(whitened - mean).sum(axis=1) for mean in means], axis=1)
    nearest: Rows = np.sqrt(squares.min(axis=1))
    return nearest


def _key(model: Model) -> str:
    return hashlib.sha256(model.weights.SerializeToString(deterministic=True)).hexdigest()
