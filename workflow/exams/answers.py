"""Run a snapshot on an exam: one pass over the pictures that returns probabilities and blobs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workflow.engines.base import Array
from workflow.errors import DataError, NetError
from workflow.exams.activity import Activity
from workflow.exams.exam import Exam
from workflow.exams.novelty import DISTANCE, Novelty
from workflow.exams.packed_pictures import Pictures
from workflow.exams.picture import Picture, Skipped
from workflow.models.model import Model

_PROBABILITIES = "/probabilities"  # no blob's name

Progress = Callable[[int, int], None]
"""Called with (done, all) after each batch."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Answers:
    """A snapshot's predictions for the pictures of an exam, sorted by path."""

    snapshot: str
    """`gen5/iter_6000`, or the path of a model from elsewhere."""
    exam: str
    classes: tuple[str, ...]
    """In the order of the net's outputs."""
    pictures: Sequence[Picture]
    probabilities: Array
    """float32 (N, classes), 0..1."""
    blobs: dict[str, Array] = field(default_factory=dict)
    """Asked for: name -> float32 (N, ...)."""
    distance: Array | None = None
    """Asked for: float32 (N,), how far each picture is from the training pictures, `unknown` beyond 1."""
    skipped: tuple[Skipped, ...] = ()
    project: Path = Path()
    """The project folder of the snapshot; paths in files about these answers are relative to it."""

    @cached_property
    def predicted(self) -> NDArray[np.int64]:
        """The class of the highest probability, the first among equals; (N,)."""
        best: NDArray[np.int64] = self.probabilities.argmax(1).astype(np.int64)
        return best

    @cached_property
    def confidence(self) -> Array:
        """The probability of the predicted class, float32 (N,)."""
        best: Array = self.probabilities.max(1)
        return best

    @cached_property
    def truth(self) -> NDArray[np.int64]:
        """The class of each picture's label, -1 where it has no label or one unknown to the snapshot; (N,)."""
        numbers = {name: number for number, name in enumerate(self.classes)}
        return np.array([numbers.get(one.truth or "", -1) for one in self.pictures], np.int64)

    @property
    def correct(self) -> NDArray[np.bool_]:
        """Whether each picture was given its own class; (N,)."""
        return np.equal(self.predicted, self.truth)

    @cached_property
    def margin(self) -> Array:
        """Probability of the predicted class less that of the runner-up, 0..1; (N,)."""
        if self.probabilities.shape[1] < 2:
            return self.probabilities[:, 0]
        two = np.partition(self.probabilities, -2, axis=1)[:, -2:]
        return two[:, 1] - two[:, 0]


def observe(
    model: Model,
    exam: Exam,
    *,
    blobs: Collection[str] = (),
    rule: Novelty | None = None,
    engine: str | None = None,
    progress: Progress | None = None,
    activity: Activity | None = None,
) -> Answers:
    """Run a snapshot on every picture of an exam, once.

    Memory holds one batch, and what is asked for: the probabilities and `blobs`.

    Args:
        model: the snapshot.
        exam: the pictures.
        blobs: blobs to keep beside the probabilities.
        rule: of the snapshot; measures the distances.
        engine: the engine's name; None takes the fastest for the job.
        progress: called with (done, all).
        activity: sees all blobs of the first pictures.

    Raises:
        NetError: the net has no Softmax layer, or no blob of a name asked for.
        DataError: not one picture can be read.
    """
    from workflow.exams.passes import passes  # not for answers that are known

    if model.output is None:
        raise NetError(f"{model.source} has no Softmax layer, so there are no probabilities", at=model.source)
    wanted = {model.output, *blobs}
    questions = Pictures()
    kept: dict[str, Array] = {}  # made whole at once: parts between the passes' own large arrays fragment the heap

    def keep(name: str, rows: Array) -> None:
        if name not in kept:
            kept[name] = np.empty((exam.count, *rows.shape[1:]), rows.dtype)
        kept[name][len(questions) : len(questions) + len(rows)] = rows

    with closing(passes(model, exam, wanted, rule=rule, engine=engine, activity=activity)) as found:
        for pictures, computed in found:
            _require(blobs, computed, model)
            rows = model.probabilities(computed)
            if rows is not None:
                keep(_PROBABILITIES, rows)
            if rule is not None:
                keep(DISTANCE, computed[DISTANCE].astype(np.float32))
            for name in blobs:
                keep(name, computed[name])
            questions.extend(pictures)
            if progress is not None:
                progress(len(questions) + len(exam.skipped), exam.count)
    if not questions:
        raise DataError(f"no picture in {exam.name} can be read", hint="; ".join(_reasons(exam.skipped)) or None)
    order = questions.by_path()
    probabilities = kept.pop(_PROBABILITIES)[order]
    distance = kept.pop(DISTANCE, None)
    return Answers(
        snapshot=model.name,
        exam=exam.name,
        classes=tuple(model.class_name(index) for index in range(probabilities.shape[1])),
        pictures=questions.taken(order),
        probabilities=probabilities,
        blobs={name: rows[order] for name, rows in kept.items()},
        distance=None if distance is None else distance[order],
        skipped=tuple(sorted(exam.skipped, key=lambda one: str(one.path))),
        project=model.project,
    )


def _require(blobs: Collection[str], computed: Mapping[str, Array], model: Model) -> None:
    for name in blobs:
        if name not in computed:
            raise NetError(f"net {model.source} has no blob '{name}'", hint="wf inspect prints the blobs")


def _reasons(skipped: Sequence[Skipped]) -> list[str]:
    return [f"{one.path} {one.reason}" for one in skipped[:3]]
