"""Find and read the file of a snapshot, and compare it with its recorded hash."""

from __future__ import annotations

import logging

from workflow.config import Config
from workflow.errors import ModelError
from workflow.formats import caffe_pb2, caffemodel
from workflow.generations import Reference, SnapshotRecord, resolve
from workflow.generations.live import live
from workflow.storage import sha256


def find(config: Config, snapshot: str | None, number: int | None) -> Reference:
    """Find the snapshot of a name; see `workflow.generations.resolve`.

    None is `latest`. A newer generation than that of the `live` snapshot is mentioned.

    Raises:
        UsageError: C06, there is none.
    """
    if snapshot == "live":
        answering = live(config)
        if answering.newer:
            logging.getLogger("workflow").info("%s", answering.words)
        return answering.reference
    return resolve(config, snapshot or "latest", number)


def read(reference: Reference) -> caffe_pb2.NetParameter:
    """The weights. NaN and infinite values give a warning (C05) and are kept, so that their effect can be seen.

    Raises:
        ModelError: C01 empty, cut, damaged or changed since; C03 a solver's state; C04 a pickle.
    """
    try:
        weights = caffemodel.read(reference.weights)
        _check_sum(reference)
    except ModelError as error:
        good = _sound_snapshot(reference) if error.fault == "C01" else None
        if good is None:
            raise
        raise ModelError(error.message, at=error.at, hint=f"newest good snapshot: {good}", fault="C01") from error
    bad = caffemodel.nonfinite(weights)
    if bad:
        counts = ", ".join(f"{count:,} in {layer}" for layer, count in bad.items())
        good = _sound_snapshot(reference)
        logging.getLogger("workflow").warning(
            "%s has NaN or infinite weights: %s%s", reference.name, counts, f" ({good} is finite)" if good else ""
        )
    return weights


def _check_sum(reference: Reference) -> None:
    for snapshot in _recorded(reference):
        expected = snapshot.sha256.get(snapshot.model)
        if snapshot.iteration != reference.iteration or expected is None:
            continue
        if sha256(reference.weights) != expected:
            raise ModelError(
                f"{reference.weights} does not match its checksum: it changed since it was written", fault="C01"
            )


def _sound_snapshot(reference: Reference) -> str | None:
    """The newest other snapshot of the generation that can be read and is free of NaN."""
    for snapshot in sorted(_recorded(reference), key=lambda one: one.iteration, reverse=True):
        if snapshot.iteration == reference.iteration or reference.generation is None:
            continue
        try:
            if not caffemodel.nonfinite(caffemodel.read(reference.generation.folder / snapshot.model)):
                return f"iter_{snapshot.iteration}"
        except ModelError:
            continue
    return None


def _recorded(reference: Reference) -> tuple[SnapshotRecord, ...]:
    return () if reference.generation is None else reference.generation.read().snapshots
