"""generation.json: how a generation was made, and its results."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, SerializerFunctionWrapHandler, model_serializer
from typing_extensions import TypedDict

from workflow.config import Preprocessing, Settings


class Recorded(BaseModel):
    """A part of a record. Fields of other versions are kept as they are; those that were never set are not written."""

    model_config = ConfigDict(frozen=True, extra="allow", defer_build=True)  # parts are read as parts of a record

    @model_serializer(mode="wrap")
    def _as_it_was(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in write(self).items() if name in self.model_fields_set}


class Corrections(Recorded):
    """The corrections of labels that a preparation applied."""

    patches: tuple[str, ...] = ()
    """Names of their files, `001`, in order."""
    relabelled: int = 0
    removed: int = 0


class FromInbox(Recorded):
    """The pictures of inbox/labelled that a preparation took."""

    pictures: int = 0
    senders: dict[str, int] = {}
    """Sender -> pictures; `owner` is whoever labelled pictures of the own machine."""


class RecordedSplit(Recorded):
    """The block `split` of the settings."""

    test: float | None = None
    """Share of test pictures, 0..1."""
    validation: float | None = None


class RecordedPrepare(Recorded):
    """The block `prepare` of the settings."""

    max_bad: float | None = None
    max_pixels: int | None = None
    on_conflict: str | None = None
    workers: int | None = None
    seed: int | None = None


class RecordedTrain(Recorded):
    """The block `train` of the settings."""

    solver: str | None = None
    deploy: str | None = None
    engine: str | None = None
    threads: int | None = None
    precision: str | None = None
    balance: str | None = None
    device: str | None = None


class PreparedWith(Recorded):
    """The settings that a generation was prepared with, whatever they were called then; see `config.Config`."""

    images: tuple[str, ...] = ()
    generations: str | None = None
    classes: tuple[str, ...] | None = None
    preprocessing: Preprocessing | None = None
    split: RecordedSplit = RecordedSplit()
    prepare: RecordedPrepare = RecordedPrepare()
    train: RecordedTrain = RecordedTrain()


Part = TypedDict("Part", {"from": int, "solver": dict[str, Any], "changed": list[str]})
"""A part of a run: the iteration that it began with, the solver's fields, and what differs from the part before."""


class Training(Recorded):
    """What the snapshots were trained with, and the results."""

    engine: str | None = None
    engine_version: str | None = None
    precision: str | None = None
    device: str | None = None
    threads: int | None = None
    solver_type: str | None = None
    random_seed: int | None = None
    """-1 if the solver gives none: the seed is then 0."""
    weights: tuple[str, ...] = ()
    """Files that it started from."""
    growth: list[dict[str, Any]] | None = None
    """Classes that were kept, new and dropped in each file of weights, see `net.growth.Growth`."""
    parts: tuple[Part, ...] | None = None
    iterations: int | None = None
    """Where the last run stopped."""
    ended_at: int | None = None
    """Where the last run ended that was not stopped; 0 before the first."""
    test_accuracy: float | None = None
    """Of the last test pass, 0..1."""
    test_loss: float | None = None
    tested_at: int | None = None
    """The iteration of that pass."""
    seconds: float = 0.0
    """Of the last run."""
    seconds_per_iteration: float | None = None

    def updated(self, facts: Mapping[str, Any]) -> Training:
        """With these facts in place of what was recorded."""
        return Training.model_validate(self.model_dump() | dict(facts))


class SnapshotRecord(Settings):
    """One committed snapshot; paths are relative to the generation's folder."""

    iteration: int
    model: str
    state: str
    sha256: dict[str, str]
    """Path of `model` and of `state` -> sha256."""
    engine: str = "torch"
    test_accuracy: float | None = None
    test_loss: float | None = None


def _merit(one: SnapshotRecord) -> tuple[float, float, int]:
    """Of a tested snapshot: the larger, the better."""
    accuracy = -math.inf if one.test_accuracy is None else one.test_accuracy
    loss = math.inf if one.test_loss is None else one.test_loss
    return accuracy, -loss, -one.iteration


class Record(Settings):
    """generation.json: how this generation was made, and its results."""

    schema_version: str = "wf.generation/1"
    number: int
    parent: int | None = None
    created: str
    """ISO 8601, UTC."""
    classes: tuple[str, ...]
    """In the order of their label numbers."""
    preprocessing: Preprocessing
    counts: dict[str, dict[str, int]]
    """split -> class -> pictures."""
    hashes: dict[str, str]
    """File of dataset/ -> sha256."""
    corrections: Corrections = Corrections()
    inbox: FromInbox = FromInbox()
    """Not written by versions before 0.2."""
    config: PreparedWith
    """The settings as resolved."""
    versions: dict[str, str]
    commands: tuple[tuple[str, ...], ...] = ()
    """Command lines that worked on this generation, in order."""
    training: Training = Training()
    snapshots: tuple[SnapshotRecord, ...] = ()

    @model_serializer(mode="wrap")
    def _as_it_was(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        known = {"inbox"} & self.model_fields_set
        return {name: value for name, value in write(self).items() if name != "inbox" or known}

    @property
    def best(self) -> SnapshotRecord | None:
        """The snapshot of the highest test accuracy; None without snapshots.

        Ties go to the lower test loss, then to the fewer iterations. Where none was tested it is the latest.
        """
        tested = [one for one in self.snapshots if one.test_accuracy is not None or one.test_loss is not None]
        return max(tested, key=_merit, default=self.latest)

    @property
    def ended_at(self) -> int:
        """Iterations of the last run that went to its end, which no later run moves until it ends itself; else 0."""
        last = self.latest.iteration if self.latest is not None else 0
        known = (self.training.ended_at, self.training.iterations, last)
        return next(one for one in known if one is not None)

    @property
    def best_at_end(self) -> SnapshotRecord | None:
        """The best of the snapshots that a run which went to its end left; None without such a run."""
        whole = tuple(one for one in self.snapshots if one.iteration <= self.ended_at)
        return self.model_copy(update={"snapshots": whole}).best

    @property
    def latest(self) -> SnapshotRecord | None:
        """The snapshot of the most iterations; None without snapshots."""
        return max(self.snapshots, key=lambda one: one.iteration, default=None)
