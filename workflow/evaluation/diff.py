"""`wf diff`: compare two snapshots on a test set that is fair to both, with the history of all generations."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workflow.config import Config
from workflow.data import manifest
from workflow.errors import DataError, UsageError
from workflow.evaluation.comparison import Comparison, compare
from workflow.evaluation.flips import Flip, Sitting, flips, sittings
from workflow.evaluation.seed_spread import Band, comparable_reruns
from workflow.evaluation.verdict import Verdict, judge
from workflow.exams import cache
from workflow.exams.answers import Answers, Progress
from workflow.exams.choice import Poser, named, of_folder, of_test_set, snapshot_of
from workflow.exams.overlap import trained_on
from workflow.exams.picture import Picture, digest
from workflow.generations import Generation
from workflow.models.loading import load
from workflow.models.model import Model
from workflow.paths import PathOrAddress


@dataclass(frozen=True, kw_only=True)
class OwnExam:
    """A generation's own test set, compared with the exam: its recorded accuracy belongs to the former."""

    generation: str
    pictures: int
    shared: int
    """Pictures of it that are in the exam."""
    relabelled: int
    """How many of those have another label in the exam."""

    def json(self) -> dict[str, Any]:
        """All figures, as `wf diff --json` prints them."""
        return {"pictures": self.pictures, "shared": self.shared, "relabelled": self.relabelled}


@dataclass(frozen=True, kw_only=True)
class Diff:
    """What `wf diff` found."""

    comparison: Comparison
    verdict: Verdict
    excluded: dict[str, int]
    """Snapshot -> pictures of the exam that its generation was trained on; all of them were left out."""
    left_out: int
    """All of those pictures, each counted once."""
    digest: str
    """Hash of the pictures that count, with their labels: equal for equal exams."""
    own: tuple[OwnExam, ...]
    """The generations' own test sets that differ from the exam."""
    bands: dict[str, Band]
    """`before`, `after` -> accuracies of other seeds on these pictures, where there are any."""
    sittings: tuple[Sitting, ...]
    flips: tuple[Flip, ...]
    folder: Path | None
    """Where pictures and tables go, None if a model from elsewhere has no such place."""
    project: Path
    """The project folder, which paths in the tables are relative to."""

    @property
    def p_value(self) -> float:
        """Of the difference in accuracy, 0..1: see `Comparison.p_value`."""
        return self.comparison.p_value

    def json(self) -> dict[str, Any]:
        """The comparison's keys and those of this class."""
        return self.comparison.json() | {
            "verdict": self.verdict.json(),
            "digest": self.digest,
            "trained_on": self.excluded,
            "left_out": self.left_out,
            "own_exams": {one.generation: one.json() for one in self.own},
            "seeds": {side: band.json() for side, band in self.bands.items()},
            "generations": [one.json() for one in self.sittings],
            "flip_flopping": [one.json() for one in self.flips],
        }


def diff(
    config: Config,
    before: str,
    after: str,
    *,
    exam: str | None = None,
    folder: PathOrAddress | None = None,
    history: bool = True,
    progress: Progress | None = None,
) -> Diff:
    """Run one exam on two snapshots and compare their answers.

    Both take the newer one's test set, unless `exam` names another. Pictures that either generation was trained
    on prove nothing and are left out, by the bytes of the files.

    Args:
        config: says where the generations are.
        before: `gen4` (its best snapshot), `gen4/iter_6000`, `gen4/seed_7/best`, or the path of a snapshot.
        after: likewise.
        exam: the generation whose test set is used.
        folder: a labelled folder in its place.
        history: also ask the best snapshot of every generation, for pictures that changed between right and wrong.
        progress: called with (done, all) for each snapshot.

    Raises:
        UsageError: C06 no such snapshot; two exams, or none since no model belongs to a generation.
        DataError: no picture is left to compare; and as `observe`.
    """
    models = [load(config, snapshot=snapshot_of(name), tell=False) for name in (before, after)]
    pose, posed = _exam(config, models, exam, folder)
    found = [cache.answers(model, pose(model), progress=progress) for model in models]
    seen = [_trained_on(model, answers.pictures) for model, answers in zip(models, found, strict=True)]
    fair = {(one.path, one.sha256) for one in _without(found, seen)}
    chosen = [_only(answers, fair) for answers in found]
    comparison = compare(*chosen)
    bands = {
        side: band
        for side, model, answers in zip(("before", "after"), models, chosen, strict=True)
        if (band := _band(config, model, answers, pose, fair, progress)) is not None
    }
    sat = sittings(config, pose, chosen[1].pictures, progress) if history else ()
    return Diff(
        comparison=comparison,
        verdict=judge(comparison, bands.get("before"), bands.get("after")),
        excluded={model.name: int(mask.sum()) for model, mask in zip(models, seen, strict=True) if mask.any()},
        left_out=len(found[1].pictures) - len(chosen[1].pictures),
        digest=digest(chosen[1].pictures),
        own=tuple(_own_exams(models, posed, found[1].pictures)),
        bands=bands,
        sittings=sat,
        flips=flips(sat, chosen[1].pictures),
        folder=_folder(models, pose),
        project=config.project,
    )


def _exam(
    config: Config, models: Sequence[Model], exam: str | None, folder: PathOrAddress | None
) -> tuple[Poser, Generation | None]:
    """The exam, and the generation whose test set it is, if any."""
    if exam is not None and folder is not None:
        raise UsageError("--exam and --folder cannot be used together", hint="use one of them")
    if folder is not None:
        return of_folder(folder), None
    if exam is not None:
        posed = named(config, exam)
        return of_test_set(posed), posed
    ours = [model.generation.original for model in models if model.generation is not None]
    if not ours:
        raise UsageError(
            "neither snapshot belongs to a generation, so there is no test set",
            hint="--exam gen5, or --folder DIR with one sub-folder for each class",
        )
    newest = max(ours, key=lambda one: one.number)
    return of_test_set(newest), newest


def _trained_on(model: Model, pictures: Sequence[Picture]) -> NDArray[np.bool_]:
    """Which pictures the snapshot's generation was trained on; none for a model from elsewhere."""
    one = model.generation
    if one is not None and not one.manifest.is_file():
        logging.getLogger("workflow").warning(
            "the training pictures of %s are unknown (no %s): some may be in the test set", one.name, one.manifest
        )
    if one is None or not one.manifest.is_file():
        return np.zeros(len(pictures), np.bool_)
    return trained_on(one, pictures)


def _without(found: Sequence[Answers], seen: Sequence[NDArray[np.bool_]]) -> list[Picture]:
    """The pictures of the exam that no snapshot was trained on."""
    known = {
        one.sha256
        for answers, mask in zip(found, seen, strict=True)
        for one, trained in zip(answers.pictures, mask, strict=True)
        if trained
    }
    left = [one for answers in found for one in answers.pictures if one.sha256 not in known]
    if not left:
        raise DataError(
            f"no picture of {found[1].exam} is left: one of the two was trained on each of them",
            hint="--folder DIR with pictures that are new to both",
        )
    return left


def _only(answers: Answers, fair: set[tuple[str, str]]) -> Answers:
    keep = [index for index, one in enumerate(answers.pictures) if (one.path, one.sha256) in fair]
    return replace(
        answers, pictures=[answers.pictures[index] for index in keep], probabilities=answers.probabilities[keep]
    )


def _band(
    config: Config, model: Model, answers: Answers, pose: Poser, fair: set[tuple[str, str]], progress: Progress | None
) -> Band | None:
    """The accuracy of the snapshot, and of its counterparts in reruns of the generation with other seeds."""
    if model.generation is None or not (reruns := comparable_reruns(model.generation)):
        return None
    best = model.generation.read().best
    wanted = "best" if best is not None and best.iteration == model.iteration else f"iter_{model.iteration}"
    values = {model.generation.name: float(answers.correct.mean())}
    for run in (model.generation.original, *reruns):
        listed = run.read().snapshots
        if run.name in values or (wanted != "best" and model.iteration not in [one.iteration for one in listed]):
            continue
        other = load(config, snapshot=f"{run.name}/{wanted}", tell=False)
        values[run.name] = float(_only(cache.answers(other, pose(other), progress=progress), fair).correct.mean())
    return Band(values=values) if len(values) > 1 else None


def _own_exams(models: Sequence[Model], posed: Generation | None, pictures: Sequence[Picture]) -> list[OwnExam]:
    labels = {one.sha256: one.truth for one in pictures}
    result = {}
    for model in models:
        one = model.generation
        if one is None or not one.manifest.is_file() or (posed is not None and one.number == posed.number):
            continue
        own = {image.sha256: image.class_name for image in manifest.read(one, "test")}
        shared = [digest for digest in own if digest in labels]
        if posed is None or len(shared) < max(len(own), len(labels)) or any(own[s] != labels[s] for s in shared):
            result[one.original.name] = OwnExam(
                generation=one.original.name,
                pictures=len(own),
                shared=len(shared),
                relabelled=sum(own[digest] != labels[digest] for digest in shared),
            )
    return list(result.values())


def _folder(models: Sequence[Model], pose: Poser) -> Path | None:
    before, after = models
    if after.generation is None or after.iteration is None:
        return None
    name = before.name.replace("/", "-") if before.generation is not None else Path(before.name).stem
    return cache.folder(after, pose(after)) / f"diff-{name}"
