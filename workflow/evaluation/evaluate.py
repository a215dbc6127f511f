"""`wf evaluate`: run a snapshot on a test set and compute all scores."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workflow.evaluation.colours import colours
from workflow.evaluation.result import Evaluation, Score
from workflow.exams import cache, novelty
from workflow.exams.answers import Answers, Progress
from workflow.exams.exam import Exam, own_split
from workflow.exams.overlap import trained_on
from workflow.exams.picture import Picture
from workflow.exams.unknown_classes import unknown_classes
from workflow.models.model import Model
from workflow.storage import write_document, write_table
from workflow.words import counted, named

COLUMNS = ("path", "sha256", "true", "predicted", "probability", "margin")
"""Columns of predictions.csv; a column for each class follows."""


def evaluate(
    model: Model, exam: Exam, *, fresh: bool = False, engine: str | None = None, progress: Progress | None = None
) -> Evaluation:
    """Run an exam on a snapshot, or find its answers on disk, and score them.

    What the reader should know is logged as a warning: E01 classes without a picture or a prediction, E02 pictures
    that were trained on, classes that the snapshot does not know, and another accuracy than the solver recorded.

    Args:
        model: the snapshot.
        exam: pictures with labels.
        fresh: ignore cached answers.
        engine: the engine's name, used only where no answers are stored yet.
        progress: called with (done, all).

    Raises:
        NetError, DataError: as `observe`; also where the snapshot knows none of the classes.
    """
    found = cache.answers(model, exam, rule=novelty.read(model), fresh=fresh, engine=engine, progress=progress)
    unknown = unknown_classes(found)
    split = own_split(model, exam)
    overlap, apart = (None, None) if split or model.generation is None else _overlap(model, found)
    evaluation = Evaluation(
        answers=found,
        unknown=unknown,
        recorded=None if split is None else _recorded(model, split),
        temperature=model.temperature,
        chosen_by_test=split == "test" and _chosen_by_test(model),
        overlap=overlap,
        apart=apart,
        colours=colours(model.generation) if split == "test" and model.generation is not None else None,
    )
    _warn(evaluation)
    return evaluation


def write(folder: Path, evaluation: Evaluation) -> Evaluation:
    """Write predictions.csv and evaluation.json, each whole or not at all.

    Returns:
        The same evaluation with the path of its predictions.

    Raises:
        OSError: as the operating system says it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    evaluation = replace(evaluation, predictions=folder / "predictions.csv")
    write_predictions(folder / "predictions.csv", evaluation.answers)
    write_document(folder / "evaluation.json", evaluation.json(), project=evaluation.answers.project)
    return evaluation


def write_predictions(path: Path, found: Answers) -> None:
    """The table of all answers, sorted by path: COLUMNS, then the probability of each class.

    A class with the name of one of COLUMNS has the column `p(true)`. Shares have six digits; a picture without
    a label has an empty `true`.

    Raises:
        OSError: as the operating system says it.
    """
    names = [f"p({name})" if name in COLUMNS else name for name in found.classes]

    def row(index: int, one: Picture) -> list[object]:
        shares = (found.confidence[index], found.margin[index], *found.probabilities[index].tolist())
        label = found.classes[found.predicted[index]]
        return [one.path, one.sha256, one.truth, label, *(f"{share:.6g}" for share in shares)]

    rows = (row(index, one) for index, one in enumerate(found.pictures))
    write_table(path, [*COLUMNS, *names], rows, project=found.project)


def _overlap(model: Model, found: Answers) -> tuple[int | None, Score | None]:
    if model.generation is None:
        return None, None
    seen = trained_on(model.generation, found.pictures) & (found.truth >= 0)
    count = int(seen.sum())
    if not count:
        return 0, None
    rest = ~seen & (found.truth >= 0)
    return count, Score(correct=int(found.correct[rest].sum()), count=int(rest.sum()))


def _recorded(model: Model, split: str) -> float | None:
    record = None if model.generation is None else model.generation.read()
    if record is None or record.solver_split != split:
        return None
    by_iteration = {one.iteration: one.tested(split)[0] for one in record.snapshots}
    return by_iteration.get(model.iteration or 0)


def _chosen_by_test(model: Model) -> bool:
    record = None if model.generation is None else model.generation.read()
    if record is None or record.best is None:
        return False
    return record.chosen_by_test and record.best.iteration == model.iteration


# ---- warnings ----


def _warn(one: Evaluation) -> None:
    warn = logging.getLogger("workflow").warning
    score, classes = one.score, one.answers.classes
    if one.overlap and one.apart is not None:
        without = f"accuracy without them {one.apart.accuracy:.4f}" if one.apart.count else "none is left without them"
        warn("%d of %s were in training; %s", one.overlap, counted(score.count, "picture"), without)
    empty = np.flatnonzero(one.per_class.support == 0)
    silent = np.flatnonzero((one.per_class.predicted == 0) & (one.per_class.support > 0))
    if empty.size:
        warn("no picture of %s; recall n/a", _names(classes, empty))
    if silent.size:
        warn("no prediction for %s; precision n/a", _names(classes, silent))
    if _below_chance(one):
        warn(
            "accuracy %.4f is below chance (%.4f): the labels of these pictures are probably swapped. "
            "wf suspects lists them",
            score.accuracy,
            one.chance,
        )
    if one.colours is not None and one.score.accuracy <= one.colours.accuracy:
        warn(
            "the net is no better than colours alone: %.4f against %.4f of a logistic regression on 8 x 8 colours",
            score.accuracy,
            one.colours.accuracy,
        )
    if one.recorded is not None and abs(one.recorded * score.count - score.correct) >= 0.5:
        warn(
            "%d of %s are right, but the solver's own test says %.4f, which would be %.0f; wf verify finds out why",
            score.correct,
            counted(score.count, "picture"),
            one.recorded,
            one.recorded * score.count,
        )


def _below_chance(one: Evaluation) -> bool:
    """Whether the accuracy is below chance by three standard deviations."""
    count, chance = one.score.count, one.chance
    return count > 0 and one.score.accuracy < chance - 3 * math.sqrt(chance * (1 - chance) / count)


def _names(classes: Sequence[str], indices: NDArray[np.intp]) -> str:
    return named([classes[index] for index in indices], 5)
