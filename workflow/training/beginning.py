"""Change a generation only when a new run has really started; a refused run leaves it unchanged."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import structs

from workflow.engines.base import Event, Started
from workflow.generations import Generation, Record
from workflow.generations.record import Training
from workflow.storage import TEMPORARY, atomic_write

_log = logging.getLogger("workflow")


class Beginning:
    """Whether the run has begun."""

    begun = False


@contextmanager
def as_before_unless_begun(generation: Generation) -> Iterator[Beginning]:
    """Put the generation's prototxt back on leaving, unless `begun` was set: its snapshots are of that net.

    Without this, a net that the engine refuses would stand beside snapshots that do not fit it.
    """
    files = [generation.prototxt(kind) for kind in ("train_test", "deploy", "solver")]
    before = {path: path.read_bytes() if path.is_file() else None for path in files}
    beginning = Beginning()
    try:
        yield beginning
    finally:
        if not beginning.begun:
            for path, data in before.items():
                if data is None:
                    path.unlink(missing_ok=True)
                elif path.read_bytes() != data:
                    atomic_write(path, data)


def opening(events: Iterator[Event]) -> list[Event]:
    """The engine's events up to Started: nets, data and weights have been read by then."""
    said = []
    for event in events:
        said.append(event)
        if isinstance(event, Started):
            break
    return said


def move_aside(generation: Generation, record: Record) -> tuple[Record, Path]:
    """Keep an earlier run's snapshots and logs under before-N/; the record forgets them first.

    Returns:
        The record without them, and the folder before-N.
    """
    aside = generation.aside
    cleared = structs.replace(record, snapshots=(), training=Training())
    generation.write(cleared)
    (aside / "snapshots").mkdir(parents=True)
    for path in generation.snapshots.iterdir():
        if TEMPORARY not in path.name:  # real Caffe, which is already running, will write there
            path.rename(aside / "snapshots" / path.name)
    if generation.logs.is_dir():
        generation.logs.rename(aside / "logs")
    _log.warning("the earlier run of generation %d is kept in %s", generation.number, aside)
    return cleared, aside
