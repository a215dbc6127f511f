"""Load a model: a generation's snapshot by its record, an external one by options."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

from workflow.config import Config
from workflow.data.transform import Transform
from workflow.errors import NetError, UsageError
from workflow.formats import caffe_pb2
from workflow.formats.binaryproto import read_mean
from workflow.formats.prototxt import read_net
from workflow.generations import Generation, Record, Reference, SnapshotRecord, generations
from workflow.models import deploy, external, weights_file
from workflow.models.external import Flags
from workflow.models.model import Model
from workflow.net.build import build
from workflow.net.sources import places


def load(
    config: Config,
    *,
    snapshot: str | None = None,
    number: int | None = None,
    net: Path | None = None,
    mean: str | None = None,
    labels: Path | None = None,
    channel_order: str | None = None,
    scale: float | None = None,
    tell: bool = True,
) -> Model:
    """Load the model of a command.

    Args:
        config: says where the generations are.
        snapshot: `iter_6000`, `gen4/iter_6000`, `latest` (also None), `best`, `live`, or the path of a model's file.
        number: the generation, where the reference does not name it; None is the newest.
        net: a deploy net, or a training net, for a model from elsewhere; also overrides a generation's.
        mean: for a model from elsewhere: a binaryproto, or numbers for the channels in their order, `104,117,123`.
        labels: for a model from elsewhere: a file of the classes' names, one a line.
        channel_order: for a model from elsewhere: `RGB` (the default), `BGR`, or `GRAY` for one channel.
        scale: for a model from elsewhere: a factor behind the mean, `scale` of the training's transform_param.
        tell: warn where the newest data set has other classes (I03); code that compares generations warns itself.

    Raises:
        UsageError: C06 no such snapshot; flags that are missing, or contradict a generation's record.
        ModelError: C01, C03, C04 the file of weights; M01, M03 the mean.
        NetError: M02 picture, mean and net do not fit each other; X06 classes and outputs do not.
    """
    reference = weights_file.find(config, snapshot, number)
    weights = weights_file.read(reference)
    flags = Flags(mean=mean, labels=labels, channel_order=channel_order, scale=scale)
    if reference.generation is not None:
        external.refuse(flags, reference)
        model = _ours(reference, reference.generation, weights, net)
        if tell:
            _tell_other_classes(config, reference, reference.generation, reference.generation.read())
    elif net is not None:
        model = external.model(reference, weights, net, flags, project=config.project)
    else:
        raise UsageError(
            f"{reference.weights} belongs to no generation, so its net is unknown",
            hint="add --net deploy.prototxt, and --mean, --labels and --channel-order as in its training",
        )
    return _of_project(model, reference, config)


def _of_project(model: Model, reference: Reference, config: Config) -> Model:
    return replace(
        model,
        file=reference.weights,
        max_pixels=config.prepare.max_pixels,
        cluster=config.cluster,
        project=config.project,
    )


def of_snapshot(config: Config, generation: Generation, snapshot: SnapshotRecord) -> Model:
    """Load a snapshot that a generation's record lists; the same generation need not be one that a name finds.

    Raises:
        ModelError, NetError: as `load`.
    """
    reference = Reference(generation.folder / snapshot.model, generation, snapshot.iteration)
    model = _ours(reference, generation, weights_file.read(reference), None)
    return _of_project(model, reference, config)


def _ours(reference: Reference, generation: Generation, weights: caffe_pb2.NetParameter, net: Path | None) -> Model:
    record = generation.read()
    looking = deploy.read(net or generation.prototxt("deploy"), weights=weights, project=generation.project)
    deploy.check_outputs(looking, record.classes)
    transform = test_transform(generation)
    given = transform.shape(record.preprocessing.shape)
    if given != looking.shape:
        raise NetError(
            f"pictures of {reference.name} are {given}, but the net takes {looking.shape}",
            at=looking.source,
            fault="M02",
        )
    snapshot = next((one for one in record.snapshots if one.iteration == reference.iteration), None)
    return Model(
        name=reference.name,
        net=looking.net,
        source=looking.source,
        weights=weights,
        classes=record.classes,
        preprocessing=record.preprocessing,
        transform=transform,
        input=looking.input,
        output=looking.output,
        generation=generation,
        iteration=reference.iteration,
        temperature=None if snapshot is None else snapshot.temperature,
    )


def test_transform(generation: Generation) -> Transform:
    """The transform of a record in the generation's test passes, without mirroring, which is random there too.

    Raises:
        NetError: the train_test net has no Data layer for phase TEST.
        ModelError: M01, M03 the mean.
    """
    source = generation.prototxt("train_test")
    net = read_net(source)
    for layer in build(net, phase="TEST", source=source).layers:
        if layer.type == "Data":
            param = layer.message.transform_param
            mean = read_mean(generation.mean) if param.mean_file else None
            return replace(Transform.of(param, mean=mean, layer=layer.name), mirror=False)
    raise NetError(f"{source} has no Data layer for phase TEST", at=source, hint=places(net) or None)


test_transform.__test__ = False  # type: ignore[attr-defined]  # pytest: not a test


def _tell_other_classes(config: Config, reference: Reference, generation: Generation, record: Record) -> None:
    """I03: warn if the newest data set has other classes; the snapshot's own classes are used."""
    newest = max(generations(config), key=lambda one: one.number, default=generation)
    if newest.number == generation.number or not newest.record_path.is_file():
        return
    theirs = newest.read().classes
    if theirs == record.classes:
        return
    changes = [f"'{name}' new" for name in theirs if name not in record.classes]
    changes += [f"'{name}' gone" for name in record.classes if name not in theirs]
    logging.getLogger("workflow").warning(
        "snapshot %s knows %d classes, the dataset of %s has %d (%s)",
        reference.name,
        len(record.classes),
        newest.name,
        len(theirs),
        ", ".join(changes) or "in another order",
    )
