"""Match the channels of one generation's net with those of other generations."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace

import numpy as np

from workflow.engines.base import Array, Session, Shape
from workflow.errors import DataError, NetError
from workflow.exams.shared_pictures import Pixels, SharedPictures
from workflow.formats import blobproto, caffe_pb2
from workflow.interpretation.activations.channel_matching import (
    Correlation,
    Match,
    Numbers,
    Reason,
    by_name,
    pair,
    thresholds,
)
from workflow.models.model import Model
from workflow.net.fill import classifying_layer

Progress = Callable[[int, int], None]

UNLEARNED = 8
"""Nets of shuffled weights that the thresholds are taken from."""

_BATCH = 25  # conv1's sums take 6 MB a net then, at 32 x 32

Matches = dict[str, list[list[Match]]]
"""Blob -> for each net, for each of the reference's channels."""


def class_blobs(model: Model, shapes: Mapping[str, Shape]) -> set[str]:
    """Blobs with one number for each class: the classifying layer's output and what depends on it."""
    try:
        found = set(classifying_layer(model.net).top)
    except NetError:
        found = set() if model.output is None else {model.output}
    for layer in model.net.layer:
        if found.intersection(layer.bottom):
            found.update(layer.top)
    count = len(model.classes or ())
    return {name for name in found if name in shapes and shapes[name][1:2] == (count,) == (_size(shapes[name]),)}


def correspond(
    models: Sequence[Model],
    reference: Model,
    shapes: Sequence[Mapping[str, Shape]],
    names: Sequence[str],
    pictures: SharedPictures,
    *,
    engine: str | None = None,
    progress: Progress | None = None,
) -> Matches:
    """Match the channels of some blobs.

    Args:
        models: the nets that are searched.
        reference: the net whose channels are looked for.
        shapes: of all blobs for one picture: those of `models`, then those of `reference`.
        names: blobs of the reference. Blobs of classes are matched by the classes' names, others by correlation.
        pictures: on which the nets' activations are correlated.
        engine: the engine's name; None takes the fastest for the job.
        progress: called with (done, all) in pictures.

    Raises:
        DataError: there are no pictures to be shown.
        NetError: a blob has no item for each picture.
        DatabaseError, NetError, ModelError, EngineMissing: as `SharedPictures.batches` and `Model.open`.
    """
    *others, own = shapes
    classes = class_blobs(reference, own)
    maps = [name for name in names if name not in classes]
    comparable = [[name for name in maps if _obstacle(other, own, name) is None] for other in others]
    values, null = _correlate(models, reference, comparable, pictures, engine, progress)
    fixed = _fixed(reference)
    found: Matches = {name: [] for name in names}
    for model, other, correlations in zip(models, others, values, strict=True):
        named = class_blobs(model, other)
        for name in names:
            if name in named and name in classes:
                found[name].append(by_name(reference.classes or (), model.classes or ()))
            elif name in correlations:
                count, width = correlations[name].shape
                learned = name not in fixed
                least = thresholds([one[name] for one in null], width) if learned else np.zeros(count)
                found[name].append(pair(correlations[name], least))
            else:
                reason = _obstacle(other, own, name) or "other size"
                found[name].append([Match(channel=None, reason=reason)] * own[name][1])
    return found


def shuffled(weights: caffe_pb2.NetParameter, seed: int) -> caffe_pb2.NetParameter:
    """The weights of a net that learned nothing: the numbers of each blob of parameters in random order."""
    rng = np.random.default_rng(seed)
    result = caffe_pb2.NetParameter()
    result.CopyFrom(weights)
    for layer in result.layer:
        for blob in layer.blobs:
            array = blobproto.to_array(blob)
            blob.CopyFrom(blobproto.from_array(rng.permuted(array.ravel()).reshape(array.shape)))
    return result


def _fixed(model: Model) -> set[str]:
    """Blobs that do not depend on any weight, such as the picture: shuffling does not change them."""
    weighted = {layer.name for layer in model.weights.layer if layer.blobs}
    learned: set[str] = set()
    for layer in model.net.layer:
        if layer.name in weighted or learned.intersection(layer.bottom):
            learned.update(layer.top)
    return {top for layer in model.net.layer for top in layer.top} - learned


def _correlate(
    models: Sequence[Model],
    reference: Model,
    comparable: Sequence[Sequence[str]],
    pictures: SharedPictures,
    engine: str | None,
    progress: Progress | None,
) -> tuple[list[dict[str, Numbers]], list[dict[str, Numbers]]]:
    """The reference against each net, and against nets that learned nothing; all are shown each batch in turn."""
    names = sorted({name for each in comparable for name in each})
    if not names:
        return [{} for _ in models], []
    unlearned = [replace(reference, weights=shuffled(reference.weights, seed)) for seed in range(UNLEARNED)]
    every = [*models, *unlearned]
    asked = [*comparable, *[names] * UNLEARNED]
    sums: list[dict[str, Correlation]] = [{} for _ in every]
    with ExitStack() as stack:
        sessions = [stack.enter_context(one.open(engine, images=pictures.count)) for one in (reference, *every)]
        for first, *rest in pictures.batches([reference, *every], _BATCH):
            own = _forward(reference, sessions[0], first, names)
            for model, session, pixels, wanted, into in zip(every, sessions[1:], rest, asked, sums, strict=True):
                other = _forward(model, session, pixels, wanted)
                for name in wanted:
                    sizes = own[name].shape[1], other[name].shape[1]
                    into.setdefault(name, Correlation(*sizes)).add(own[name], other[name])
            if progress is not None:
                progress(pictures.used, pictures.count)
    if not pictures.used:
        raise DataError(
            f"{pictures.generation.name} has no test picture that all nets can be shown, to match their channels by"
        )
    values = [{name: one.values for name, one in each.items()} for each in sums]
    return values[: len(models)], values[len(models) :]


def _forward(model: Model, session: Session, pixels: Pixels, names: Sequence[str]) -> dict[str, Array]:
    blobs = model.forward(session, pixels, names) if names else {}
    for name, array in blobs.items():
        if len(array) != len(pixels):
            raise NetError(f"blob '{name}' has {len(array)} items for {len(pixels)} pictures, expected one for each")
    return blobs


def _obstacle(other: Mapping[str, Shape], own: Mapping[str, Shape], name: str) -> Reason | None:
    if name not in other:
        return "no blob"
    return "other size" if other[name][2:] != own[name][2:] else None


def _size(shape: Shape) -> int:
    return int(np.prod(shape[1:]))
