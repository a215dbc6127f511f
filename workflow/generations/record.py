"""generation.json: how a generation was made, and its results."""

from __future__ import annotations

import math
from typing import Any

from pydantic import Field

from workflow.config import Preprocessing, Settings


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
    corrections: dict[str, Any] = Field(default_factory=dict)
    """Patches that were obeyed, and how many labels they changed."""
    config: dict[str, Any]
    """The settings as resolved."""
    versions: dict[str, str]
    commands: tuple[tuple[str, ...], ...] = ()
    """Command lines that worked on this generation, in order."""
    training: dict[str, Any] = Field(default_factory=dict)
    """Engine, threads, precision, solver type and hashes of the net that the snapshots belong to."""
    snapshots: tuple[SnapshotRecord, ...] = ()

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
        return int(self.training.get("ended_at", self.training.get("iterations", last)))

    @property
    def best_at_end(self) -> SnapshotRecord | None:
        """The best of the snapshots that a run which went to its end left; None without such a run."""
        whole = tuple(one for one in self.snapshots if one.iteration <= self.ended_at)
        return self.model_copy(update={"snapshots": whole}).best

    @property
    def latest(self) -> SnapshotRecord | None:
        """The snapshot of the most iterations; None without snapshots."""
        return max(self.snapshots, key=lambda one: one.iteration, default=None)
