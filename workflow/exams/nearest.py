"""The training pictures that are most similar to a picture: nearest neighbours in a blob such as pool3.

Distances are those of float32 vectors read from half precision, L2 or cosine (1 - cos, 0..2). The generation of a
picture is the first whose manifest lists its bytes.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from workflow.data import manifest
from workflow.engines.base import Array
from workflow.errors import DataError, UsageError
from workflow.exams.answers import Progress
from workflow.exams.exam import Records
from workflow.exams.features import Features, Half, features, halved
from workflow.exams.picture import Picture
from workflow.generations import Generation
from workflow.models.model import Model

Metric = Literal["l2", "cosine"]

_log = logging.getLogger("workflow")

_ROWS = 4096  # training pictures at a time: 16 MB of pool3
_QUERIES = 1024
_SPARE = 4  # extra candidates, whose distances are recomputed without cancellation


@dataclass(frozen=True, kw_only=True, eq=False)
class Nearest:
    """For each of N pictures the K training pictures that are nearest, nearest first."""

    pictures: list[Picture]
    """The training pictures, in the order of their records."""
    indices: NDArray[np.int64]
    """(N, K), into `pictures`."""
    distances: Array
    """float32 (N, K)."""


@dataclass(frozen=True, kw_only=True)
class Neighbour:
    """A training picture that is similar to the given one."""

    path: str
    sha256: str
    label: str | None
    distance: float
    record: int
    """Its place in the training set's database."""
    generation: int | None = None
    """The first that has it."""
    same: bool = False
    """Whether it is the same file as the picture itself."""

    def json(self) -> dict[str, Any]:
        """As `wf why --json` gives it."""
        kept = ("path", "label", "distance", "generation", "same")
        return {name: getattr(self, name) for name in kept}


def training(model: Model, *, blob: str | None = None, progress: Progress | None = None) -> Features:
    """The features of the training set of the model's own generation, computed once for each snapshot.

    Raises:
        UsageError: the model is from elsewhere, so that its training set is not known.
        NetError, DataError: as `features`.
    """
    return features(model, training_set(model), blob=blob, progress=progress)


def training_set(model: Model) -> Records:
    """The records that the model's own generation was trained on.

    Raises:
        UsageError: the model is from elsewhere, so that they are not known.
    """
    if model.generation is None:
        raise UsageError(f"{model.name} belongs to no generation: its training pictures are not known")
    return Records(generation=model.generation.original, split="train")


def nearest(
    model: Model,
    queries: Array,
    count: int,
    *,
    blob: str | None = None,
    metric: Metric = "l2",
    progress: Progress | None = None,
) -> Nearest:
    """The nearest training pictures of the model's own generation.

    Args:
        model: the snapshot.
        queries: the same snapshot's values for some pictures: (N, ...), the blob's shape or one row each.
        count: K; fewer are found where the training set has fewer pictures.
        blob: the blob that the queries are of; None is the last before the first InnerProduct.
        metric: `l2` or `cosine`.
        progress: called with (done, all) while features must be computed.

    Raises:
        UsageError, NetError, DataError: as `training`; the queries are not as long as the features.
    """
    known = training(model, blob=blob, progress=progress)
    rows = halved(queries)  # so that a training picture is at distance 0 from itself
    if rows.shape[1] != known.values.shape[1]:
        raise DataError(f"{rows.shape[1]} numbers for each picture, but '{known.blob}' has {known.values.shape[1]}")
    if len(known.values) > 1 and bool((known.values == known.values[:1]).all()):
        _log.warning("blob '%s' is the same for every training picture: all are equally near", known.blob)
        count = 0
    indices, distances = search(rows, known.values, count, metric)
    return Nearest(pictures=known.pictures, indices=indices, distances=distances)


def search(queries: Array | Half, rows: Array | Half, count: int, metric: Metric) -> tuple[NDArray[np.int64], Array]:
    """The `count` rows nearest to each query, by blocks, so that memory holds neither set as a whole in float32.

    Args:
        queries: (N, D).
        rows: (M, D), which may be mapped from a file.
        count: at least 1.
        metric: `l2` or `cosine`.

    Returns:
        Indices int64 (N, K) and distances float32 (N, K), K = min(count, M), nearest first, the earlier among equals.
    """
    wide = min(count + _SPARE, len(rows))
    near = np.full((len(queries), wide), np.inf, np.float32)
    which = np.zeros((len(queries), wide), np.int64)
    for start in range(0, len(rows), _ROWS):
        block = _prepared(rows[start : start + _ROWS], metric)
        squares = np.square(block).sum(1)
        numbers = np.arange(start, start + len(block))
        for first in range(0, len(queries), _QUERIES):
            part = slice(first, first + _QUERIES)
            found = squares - 2 * (_prepared(queries[part], metric) @ block.T)  # |a - b|^2 less |a|^2
            both = np.hstack([near[part], found])
            places = np.hstack([which[part], np.broadcast_to(numbers, found.shape)])
            chosen = np.argpartition(both, wide - 1, axis=1)[:, :wide]
            near[part] = np.take_along_axis(both, chosen, 1)
            which[part] = np.take_along_axis(places, chosen, 1)
    return _sorted(queries, rows, which, min(count, len(rows)), metric)


def neighbours(
    found: Nearest, sha256: str, generations: Iterable[Generation], *, row: int = 0
) -> tuple[Neighbour, ...]:
    """The neighbours of one picture.

    Args:
        found: of `nearest`.
        sha256: of the file that was asked about.
        generations: where the pictures may have come from, the oldest first.
        row: which of the queries.
    """
    pairs = [(int(index), float(far)) for index, far in zip(found.indices[row], found.distances[row], strict=True)]
    brought = origins(generations, {found.pictures[index].sha256 for index, _ in pairs})
    result = []
    for index, distance in pairs:
        one = found.pictures[index]
        result.append(
            Neighbour(
                path=one.path,
                sha256=one.sha256,
                label=one.truth,
                distance=distance,
                record=index,
                generation=brought.get(one.sha256),
                same=one.sha256 == sha256,
            )
        )
    return tuple(result)


def origins(generations: Iterable[Generation], digests: Collection[str]) -> dict[str, int]:
    """The first generation whose manifest lists each of these files, in either split.

    Args:
        generations: the oldest first; one without a manifest is skipped.
        digests: sha256 of files.
    """
    wanted = set(digests)
    found: dict[str, int] = {}
    for one in generations:
        if not wanted:
            break
        if not one.manifest.is_file():
            continue
        for image in manifest.read(one):
            if image.sha256 in wanted:
                found[image.sha256] = one.number
                wanted.discard(image.sha256)
    return found


def _prepared(rows: Array | Half, metric: Metric) -> Array:
    """Rows in float32; for the cosine normalised to length 1, so that |a - b|^2 = 2 (1 - cos)."""
    wide = np.asarray(rows, np.float32)
    if metric == "l2":
        return wide
    lengths = np.sqrt(np.square(wide).sum(1, keepdims=True))
    return (wide / np.where(lengths > 0, lengths, 1)).astype(np.float32, copy=False)


def _sorted(
    queries: Array | Half, rows: Array | Half, which: NDArray[np.int64], count: int, metric: Metric
) -> tuple[NDArray[np.int64], Array]:
    """Candidates by their distance, now as the length of a difference: exactly 0 for equal rows."""
    indices = np.empty((len(queries), count), np.int64)
    distances = np.empty((len(queries), count), np.float32)
    for row, candidates in enumerate(which):
        candidates = np.sort(candidates)
        query = _prepared(queries[row : row + 1], metric)
        squares = np.square(_prepared(rows[candidates], metric) - query).sum(1)
        order = np.argsort(squares, kind="stable")[:count]
        indices[row] = candidates[order]
        distances[row] = np.sqrt(squares[order]) if metric == "l2" else squares[order] / 2
    return indices, distances
