"""What a trainer, one of several processes that train one net, is told and tells.

to a trainer:    its Task, then (rank 0 excepted) HOST and PORT of rank 0's store; to rank 0 an answer to each event
from a trainer:  STORE with its port, SAID after SAID and EVENT after EVENT (all three from rank 0 alone), then one
                 of DONE, ERROR, BUG, LOST; or nothing more where it was killed
"""

from __future__ import annotations

import os

import msgspec
from msgspec import Struct, structs

from workflow.config import typed
from workflow.engines import base
from workflow.engines.base import Control, Event, Ranks

STORE, SAID, EVENT, DONE, ERROR, BUG, LOST = b"store", b"said", b"event", b"done", b"error", b"bug", b"lost"
"""What a trainer's message begins with: its store's port, a warning, an event, the end, a WorkflowError, another error,
and that another trainer is gone."""

SAID_WHY = 3
"""Exit code of a trainer that has told why it ends."""

STOP = b"stop"
"""What another host says for its user, who wants to stop."""

_EVENTS: dict[str, type[Event]] = {
    kind.__name__: kind
    for kind in (base.Started, base.Step, base.Validation, base.Snapshot, base.SnapshotFailed, base.Note, base.Done)
}


class Task(Struct, frozen=True, kw_only=True):
    """What one trainer does."""

    rank: int
    ranks: Ranks
    address: str
    """Of the machine that it runs on, as the others reach it."""
    interface: str
    """Network interface to the others."""
    folder: str
    """That paths in the solver and the net are relative to."""
    solver: bytes
    """A SolverParameter that holds its net."""
    threads: int
    precision: str
    device: str | None
    test_at_end: bool
    resume: str | None = None
    """For rank 0: a solverstate; the others get weights and state from rank 0."""
    weights: tuple[str, ...] = ()
    """For rank 0: see `Job`."""


class Answer(Struct, frozen=True, kw_only=True):
    """What rank 0 is told after an event."""

    stop: bool
    snapshot: bool

    @classmethod
    def of(cls, control: Control) -> Answer:
        """The requests of now; that to snapshot counts once."""
        return cls(stop=control.stopping, snapshot=control.take_snapshot_wish())


def packed(event: Event) -> bytes:
    """An event as bytes; numbers that are not finite stay what they are."""
    return msgspec.msgpack.encode((type(event).__name__, structs.asdict(event)), enc_hook=os.fspath)


def unpacked(data: bytes) -> Event:
    """The event of `packed`."""
    name, fields = msgspec.msgpack.decode(data)
    return typed(fields, _EVENTS[name])
