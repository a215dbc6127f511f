"""generation.json: how a generation was made, and its results."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Self

from msgspec import field, structs
from typing_extensions import TypedDict

from workflow.config import Preprocessing, Settings, typed, untyped


class Recorded(Settings, frozen=True, kw_only=True, forbid_unknown_fields=False):
    """A part of a record. Fields of other versions are kept as they are; those that were never set are not written.

    Made by `of`.
    """

    given: dict[str, Any] = field(default_factory=dict)
    """All that was set, plain: what is written again."""

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        """The part with these fields.

        Raises:
            msgspec.ValidationError: one has another type.
        """
        return typed(dict(given), cls)._as_given(given)

    def _as_given(self, given: Mapping[str, Any]) -> Self:
        return structs.replace(self, given=untyped(dict(given)))


class Corrections(Recorded, frozen=True, kw_only=True):
    """The corrections of labels that a preparation applied."""

    patches: tuple[str, ...] = ()
    """Names of their files, `001`, in order."""
    relabelled: int = 0
    removed: int = 0


class FromInbox(Recorded, frozen=True, kw_only=True):
    """The pictures of inbox/labelled that a preparation took."""

    pictures: int = 0
    senders: dict[str, int] = field(default_factory=dict)
    """Sender -> pictures; `owner` stands for labels made on this machine."""


class RecordedSplit(Recorded, frozen=True, kw_only=True):
    """The block `split` of the settings."""

    test: float | None = None
    """Share of test pictures, 0..1."""
    validation: float | None = None


class RecordedPrepare(Recorded, frozen=True, kw_only=True):
    """The block `prepare` of the settings."""

    max_bad: float | None = None
    max_pixels: int | None = None
    on_conflict: str | None = None
    workers: int | None = None
    seed: int | None = None


class RecordedTrain(Recorded, frozen=True, kw_only=True):
    """The block `train` of the settings."""

    solver: str | None = None
    deploy: str | None = None
    engine: str | None = None
    threads: int | None = None
    precision: str | None = None
    balance: str | None = None
    patience: int | None = None
    device: str | None = None
    workers: int | None = None
    batch: str | None = None
    micro: int | None = None
    interface: str | None = None


class PreparedWith(Recorded, frozen=True, kw_only=True):
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


class Training(Recorded, frozen=True, kw_only=True):
    """What the snapshots were trained with, and the results."""

    engine: str | None = None
    engine_version: str | None = None
    precision: str | None = None
    device: str | None = None
    threads: int | None = None
    """Of each worker, where there are several."""
    workers: int | None = None
    """Processes of the last run; None where its batches were never split, as are the next two."""
    batch: str | None = None
    """`split` or `each`, see `config.Train.batch`."""
    micro: int | None = None
    """Micro-batches that each batch is made of."""
    solver_type: str | None = None
    random_seed: int | None = None
    """-1 if the solver gives none: the seed is then 0."""
    weights: tuple[str, ...] = ()
    """Files that it started from."""
    growth: list[dict[str, Any]] | None = None
    """Classes that were kept, new and dropped in each file of weights, see `net.growth.Growth`."""
    parts: tuple[Part, ...] | None = None
    iterations: int | None = None
    """The iteration at which the last run stopped."""
    ended_at: int | None = None
    """Where the last run ended that was not stopped; 0 before the first."""
    lost_patience: int | None = None
    """Test passes without improvement, if they ended the last run before max_iter; see `config.Train.patience`."""
    test_accuracy: float | None = None
    """Accuracy of the last test pass, 0..1, where the solver looks at the test pictures; see `Record.solver_split`."""
    test_loss: float | None = None
    validation_accuracy: float | None = None
    """Accuracy of the last test pass, 0..1, where the solver looks at the validation pictures."""
    validation_loss: float | None = None
    balanced_accuracy: float | None = None
    """Balanced accuracy of the same pass: the mean of the classes' recalls; real Caffe does not report it."""
    tested_at: int | None = None
    """The iteration of that pass."""
    seconds: float = 0.0
    """Seconds of the last run."""
    seconds_per_iteration: float | None = None
    warnings: tuple[str, ...] = ()
    """What was wrong with the last run, a sentence or two each."""

    def updated(self, facts: Mapping[str, Any]) -> Training:
        """A copy with these fields replaced."""
        return Training.of(self.given | dict(facts))


def merit(accuracy: float | None, loss: float | None) -> tuple[float, float]:
    """Of a test pass: the larger, the better. A higher accuracy, or the same and a lower loss."""
    return -math.inf if accuracy is None else accuracy, -math.inf if loss is None else -loss


class SnapshotRecord(Settings, frozen=True, kw_only=True):
    """One committed snapshot; paths are relative to the generation's folder."""

    iteration: int
    model: str
    state: str
    sha256: dict[str, str]
    """Path of `model` and of `state` -> sha256."""
    engine: str = "torch"
    test_accuracy: float | None = None
    """0..1. Where there are validation pictures, only the best snapshot has one, of the end of training."""
    test_loss: float | None = None
    validation_accuracy: float | None = None
    """Accuracy of the solver's test pass, where there are validation pictures."""
    validation_loss: float | None = None
    temperature: float | None = None
    """Fitted on the validation pictures, see `exams.temperature`: of the best snapshot when training ends, of another
    when `wf evaluate` is asked about it."""

    def json(self) -> dict[str, Any]:
        """As generation.json holds it."""
        late = ("validation_accuracy", "validation_loss", "temperature")
        return {name: value for name, value in untyped(self).items() if name not in late or value is not None}

    def tested(self, split: str) -> tuple[float | None, float | None]:
        """Accuracy and loss of a test pass over the `validation` or `test` pictures."""
        return getattr(self, f"{split}_accuracy"), getattr(self, f"{split}_loss")


class Record(Settings, frozen=True, kw_only=True):
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
    """split -> class -> pictures; `validation` only where there are such pictures."""
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

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Record:
        """The record that generation.json holds.

        Raises:
            msgspec.ValidationError: it is not a record.
        """
        record = typed(dict(document), cls)
        parts = {name: getattr(record, name)._as_given(document[name]) for name in _PARTS if name in document}
        return structs.replace(record, **parts)

    def json(self) -> dict[str, Any]:
        """As generation.json holds it."""
        parts = {name: getattr(self, name).given for name in _PARTS}
        document: dict[str, Any] = untyped(self)
        document |= parts | {"snapshots": [one.json() for one in self.snapshots]}
        if not self.inbox.given:
            del document["inbox"]
        return document

    @property
    def solver_split(self) -> str:
        """The pictures that the solver's test passes look at: `validation` where there are any, else `test`."""
        return "validation" if "validation" in self.counts else "test"

    @property
    def best(self) -> SnapshotRecord | None:
        """The snapshot of the highest accuracy in the solver's test passes; None without snapshots.

        Ties go to the lower loss, then to the fewer iterations. Where none was tested it is the latest.
        """
        return max(self._tested, key=self._merit, default=self.latest)

    @property
    def chosen_by_test(self) -> bool:
        """Whether the best snapshot was chosen by its accuracy on the test pictures, which flatters it a little."""
        return self.solver_split == "test" and len(self._tested) > 1

    @property
    def _tested(self) -> list[SnapshotRecord]:
        return [one for one in self.snapshots if one.tested(self.solver_split) != (None, None)]

    def _merit(self, one: SnapshotRecord) -> tuple[float, float, int]:
        """Of a tested snapshot: the larger, the better."""
        return *merit(*one.tested(self.solver_split)), -one.iteration

    @property
    def ended_at(self) -> int:
        """Iterations of the last completed run, unchanged until a later run completes; else 0."""
        last = self.latest.iteration if self.latest is not None else 0
        known = (self.training.ended_at, self.training.iterations, last)
        return next(one for one in known if one is not None)

    @property
    def best_at_end(self) -> SnapshotRecord | None:
        """The best snapshot of the last completed run; None without such a run."""
        whole = tuple(one for one in self.snapshots if one.iteration <= self.ended_at)
        return structs.replace(self, snapshots=whole).best

    @property
    def latest(self) -> SnapshotRecord | None:
        """The snapshot of the most iterations; None without snapshots."""
        return max(self.snapshots, key=lambda one: one.iteration, default=None)


_PARTS = ("corrections", "inbox", "config", "training")
