"""Run the same pictures through two input paths and through every engine: all blobs must be equal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workflow.checks import records
from workflow.checks.verification import Verification
from workflow.engines import choose, get
from workflow.engines.base import Array
from workflow.engines.numpy_cpu import knows
from workflow.engines.ready import statuses
from workflow.errors import NetError
from workflow.formats import caffe_pb2, datum
from workflow.formats.lmdb import Reader
from workflow.formats.prototxt import read_net
from workflow.generations import Generation
from workflow.models.model import Model
from workflow.net.build import build
from workflow.net.sources import places

TOLERANCE = 1e-5
"""Relative to the largest number in a blob: differences that another order of rounding may cause."""

Pixels = NDArray[np.generic]


def check_blobs(
    model: Model,
    generation: Generation,
    sample: int,
    *,
    engine: str | None,
    others: Sequence[str] | None,
    result: Verification,
) -> None:
    """Run test batches from the LMDB through the test net, and the same pictures from their files as inspect does.

    Args:
        model: a snapshot of the generation.
        generation: its data set.
        sample: how many pictures at least.
        engine: runs both nets; None takes the fastest.
        others: engines to compare with it; None is all that can run here.
        result: gets the differences.

    Raises:
        NetError, ModelError, EngineMissing: as `Engine.open`.
        DatabaseError: the database cannot be read.
    """
    source = generation.prototxt("train_test")
    _check_mirror(generation, result)
    net, batch = _test_net(generation)
    runner = choose(net, engine)
    count = len(records.images(generation, generation.read().solver_split))
    batches = max(1, min(-(-sample // batch), count // batch))
    with (
        runner.open(net, model.weights, source=source, folder=generation.project) as testing,
        model.open(runner.name) as looking,
    ):
        for number in range(batches):
            pictures = _pictures(model, generation, range(number * batch, (number + 1) * batch), result)
            tested, looked = testing.forward(), model.forward(looking, pictures)
            _compare(tested, looked, result)
            if number == 0:
                _compare_alone(looked, model.forward(looking, pictures[:1]), result)
                names = _others(model, runner.name) if others is None else others
                _compare_engines(model, runner.name, names, pictures, looked, result)


def _check_mirror(generation: Generation, result: Verification) -> None:
    """Caffe mirrors by chance in phase TEST, too, where a layer asks for it."""
    source = generation.prototxt("train_test")
    for spec in build(read_net(source), phase="TEST", source=source).layers:
        if spec.message.transform_param.mirror:
            result.net_problems.append(
                f"layer '{spec.name}' of the test net has mirror: true: test pictures are mirrored at random, so "
                "each test gives different results"
            )


def _test_net(generation: Generation) -> tuple[caffe_pb2.NetParameter, int]:
    """The train_test net as run, with absolute paths to this generation's files, and its test batch.

    Mirroring is switched off: chance decides it, in TEST phase too.
    """
    source = generation.prototxt("train_test")
    net = read_net(source)
    for spec in build(net, phase="TEST", source=source).layers:
        if spec.type == "Data":
            batch = spec.message.data_param.batch_size
            break
    else:
        raise NetError(f"{source} has no Data layer for phase TEST", at=source, hint=places(net) or None)
    split = generation.read().solver_split
    for layer in net.layer:
        if layer.type == "Data":
            database = generation.database("train" if "train" in Path(layer.data_param.source).name else split)
            layer.data_param.source = str(database.resolve())
            layer.transform_param.mirror = False
            if layer.transform_param.mean_file:
                layer.transform_param.mean_file = str(generation.mean.resolve())
    return net, batch


def _pictures(model: Model, generation: Generation, positions: range, result: Verification) -> list[Pixels]:
    """The pictures as inspect reads them; for a missing or changed file, the record itself."""
    split = generation.read().solver_split
    listed = records.images(generation, split)
    pictures: list[Pixels] = []
    with Reader(generation.database(split)) as reader:
        for position in positions:
            index = position % len(reader)
            data = records.source(listed[index], result)
            pictures.append(datum.decode(reader.read(index)[1])[0] if data is None else model.read(data))
    return pictures


def _compare(tested: Mapping[str, Array], looked: Mapping[str, Array], result: Verification) -> None:
    for name in looked:
        if name not in tested:
            continue  # the probabilities, which the test net leaves to its loss
        difference = _difference(tested[name], looked[name])
        result.max_abs_difference = max(result.max_abs_difference, difference)
        if not difference <= TOLERANCE * _size(tested[name]):
            result.problems.append(f"blob '{name}' of the test net differs from inspect's by up to {difference:g}")


def _compare_alone(together: Mapping[str, Array], alone: Mapping[str, Array], result: Verification) -> None:
    """The first picture must get the same answer alone as among others."""
    for name, blob in alone.items():
        among = together[name][: len(blob)] if together[name].ndim else together[name]
        if among.shape == blob.shape and _difference(among, blob) > TOLERANCE * _size(among):
            result.net_problems.append(
                f"blob '{name}' of the deploy net depends on the other pictures of the batch (differs by "
                f"{_difference(among, blob):g} for a single picture); a BatchNorm layer with use_global_stats: "
                "false does that"
            )
            return  # what follows it differs for the same reason


def _others(model: Model, first: str) -> list[str]:
    """Every engine that can run here and knows the net."""
    ready = [status.name for status in statuses() if status.ready and status.name != first]
    return [name for name in ready if name != "numpy" or knows(model.net)]


def _compare_engines(
    model: Model,
    first: str,
    others: Sequence[str],
    pictures: Sequence[Pixels],
    expected: Mapping[str, Array],
    result: Verification,
) -> None:
    for name in others:
        with get(name).open(model.net, model.weights, source=model.source, folder=model.project) as session:
            blobs = model.forward(session, pictures)
        result.engines[name] = 0.0
        for blob, array in blobs.items():
            difference = _difference(array, expected[blob]) / _size(expected[blob])
            result.engines[name] = max(result.engines[name], difference)
            if not difference <= TOLERANCE:
                result.problems.append(f"blob '{blob}' of engines {name} and {first} differs by {difference:g}")


def _difference(one: Array, other: Array) -> float:
    """The largest difference; NaN on both sides counts as equal (broken weights are reported elsewhere)."""
    return float(np.abs(one - other).max(initial=0, where=~(np.isnan(one) & np.isnan(other))))


def _size(blob: Array) -> float:
    return max(float(np.abs(blob).max(initial=0, where=np.isfinite(blob))), float(np.finfo(np.float32).tiny))
