"""Look for reasons of a poor result when a training has ended: what the net makes of its own training pictures.

A net that is right on its training pictures and wrong on others has too few of them. Channels that no training picture
excites are dead: a rate that was too high moved them where every input is cut off.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator

from workflow.config import Config
from workflow.data import manifest
from workflow.errors import WorkflowError
from workflow.exams.activity import Activity
from workflow.formats.datum import decode_all
from workflow.formats.lmdb import Reader
from workflow.generations import Generation, Record, SnapshotRecord
from workflow.models.loading import of_snapshot
from workflow.models.model import Model
from workflow.words import counted

_log = logging.getLogger("workflow")
_PICTURES = 2000  # training pictures that are run through the net, at most; their order is random
_BATCH = 100
_GAP = 0.1  # between the accuracies on training and on other pictures, beyond chance
_DEAD = 0.25  # share of a layer's channels


def end_checks(config: Config, generation: Generation) -> Iterator[str]:
    """Sentences about the best snapshot, each logged as a warning; none while a run is not at its end.

    Args:
        config: the settings.
        generation: that was trained; the caller holds it.
    """
    record = generation.read()
    best = record.best
    if best is None or record.training.ended_at != record.training.iterations:
        return
    found = [_copies(generation, record)]
    try:
        model = of_snapshot(config, generation, best)
        if model.output is not None:
            found += _on_training_pictures(config, generation, record, best, model)
    except WorkflowError as error:
        _log.warning("iter_%d cannot be run on its training pictures: %s", best.iteration, error.message)
    for sentence in found:
        if sentence is not None:
            _log.warning("%s", sentence)
            yield sentence


def _copies(generation: Generation, record: Record) -> str | None:
    """Test-pass pictures with the bytes of a training picture; `wf prepare` leaves such out, an import keeps them."""
    split = record.solver_split
    trained = {one.sha256 for one in manifest.read(generation, "train")}
    copies = sum(one.sha256 in trained for one in manifest.read(generation, split))
    if not copies:
        return None
    count = sum(record.counts[split].values())
    are = "is a copy" if copies == 1 else "are copies"
    return (
        f"{copies:,} of {counted(count, f'{split} picture')} {are} of training pictures: the accuracy is too high. "
        "wf prepare leaves copies out"
    )


def _on_training_pictures(
    config: Config, generation: Generation, record: Record, best: SnapshotRecord, model: Model
) -> list[str | None]:
    activity, right, count = Activity(), 0, 0
    with (
        Reader(generation.database("train")) as reader,
        model.open("torch" if config.train.engine == "torch" else None, images=min(len(reader), _PICTURES)) as session,
    ):
        for start in range(0, min(len(reader), _PICTURES), _BATCH):
            pixels, labels = decode_all(reader.values(start, min(_BATCH, len(reader) - start)))
            blobs = model.forward(session, pixels)
            rows = model.probabilities(blobs)
            if rows is None:
                return []
            activity.see(blobs)
            right += int((rows.argmax(1) == labels).sum())
            count += len(labels)
    return [_memorised(record, best, right, count), _dead(config, model, activity)]


def _memorised(record: Record, best: SnapshotRecord, right: int, count: int) -> str | None:
    split = record.solver_split
    accuracy, tested = best.tested(split)[0], sum(record.counts[split].values())
    if accuracy is None or not count:
        return None
    own = right / count
    error = math.sqrt(accuracy * (1 - accuracy) / tested + own * (1 - own) / count)
    if own - accuracy < _GAP + 2 * error:
        return None
    return (
        f"accuracy {own:.4f} on training pictures, {accuracy:.4f} on {split} pictures: the net memorises its training "
        "pictures. More pictures help most (wf next FOLDER chooses them); mirroring and cropping help, too (wf recipes)"
    )


def _dead(config: Config, model: Model, activity: Activity) -> str | None:
    """The convolution with the largest share of dead channels, if it is large."""
    tops = {layer.top[0] for layer in model.net.layer if layer.type == "Convolution"}
    silent = {name: one for name, one in activity.silent().items() if name in tops}
    name = max(silent, key=lambda one: silent[one].silent / silent[one].channels, default=None)
    if name is None or silent[name].silent < _DEAD * silent[name].channels:
        return None
    one = silent[name]
    return (
        f"{one.silent:,} of {one.channels:,} channels of '{name}' are dead: none of {one.pictures:,} training pictures "
        f"changes them. Lower base_lr in {config.train.solver.as_posix()}, then wf train --fresh"
    )
