"""`wf suspects`: find training and test labels that are probably wrong, by confident learning.

Each label is held against two witnesses that have not been fitted to it: a least squares classifier on features that
no label went into (`unlabelled`, `out_of_fold.ridge`), and the labels of the pictures nearest in the snapshot's own
features (`out_of_fold.neighbours`). Labels that another class beats are ranked by their self-confidence, lowest first.

C. G. Northcutt, L. Jiang, I. L. Chuang: Confident Learning: Estimating Uncertainty in Dataset Labels, JAIR 70, 2021.

Measured on CIFAR-10, cat or not, 3 % of the labels turned; precision / recall in the first 3, 6 and 10 % of the list
(chance: 0.03 / 0.03, 0.06, 0.10), for a snapshot that has learned its wrong labels by heart (3,000 iterations):

                                               4,000 pictures, half cats        10,000 pictures, a fifth cats
    the net's own probabilities                .17/.17  .09/.18  .08/.27        .27/.27  .20/.40  .16/.52
    cross-validated logistic refit on pool3    .18/.18  .10/.21  .11/.35        .34/.34  .25/.50  .18/.61
    50 nearest in pool3                        .29/.29  .18/.37  .13/.43        .42/.42  .28/.55  .19/.64
    ridge on unlabelled features               .28/.28  .21/.43  .16/.54        .45/.45  .30/.60  .21/.70
    both of the last, as here                  .30/.30  .21/.43  .16/.54        .48/.48  .30/.60  .21/.68

The paper's class thresholds (mean self-confidence of each class), subtracted before ranking, gave .21/.41 in place of
.30/.60 for unequal classes and the same for equal ones, so that they are not used. With two classes margin and
self-confidence rank alike; with all ten (8,000 pictures, ridge alone) self-confidence gave .30/.60 in the first 6 %,
the margin .20/.40.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workflow.config import Config
from workflow.curation import out_of_fold, patch_features
from workflow.curation.near_duplicates import Hashes, Twins, hashes, miniatures, twins
from workflow.data.corrections import decided, patches
from workflow.data.folds import folds
from workflow.engines.base import Array
from workflow.errors import DataError, UsageError
from workflow.exams.answers import Progress
from workflow.exams.exam import of_generation
from workflow.exams.features import Half, features
from workflow.exams.picture import Picture
from workflow.generations import Generation
from workflow.models.model import Model

SHARE = 0.06
"""The default share of pictures that are listed."""

_READ = 1000  # pictures at a time
_FEWEST = 10  # fewest pictures for which the statistics mean anything


@dataclass(frozen=True, kw_only=True)
class Suspect:
    """A picture whose label is probably wrong."""

    picture: Picture
    split: str
    suggested: str
    score: float
    """How improbable the witnesses find the label, 0..1: 1 less its self-confidence."""
    why: str
    """The evidence against the label, in words."""

    @property
    def label(self) -> str:
        """The current label."""
        return self.picture.truth or ""

    @property
    def caption(self) -> str:
        """For a contact sheet."""
        return f"{self.label}: {self.suggested}? {self.score:.2f}"

    def json(self) -> dict[str, Any]:
        """As `wf suspects --json` gives it."""
        return {
            "path": self.picture.path,
            "sha256": self.picture.sha256,
            "label": self.label,
            "suggested": self.suggested,
            "score": round(self.score, 6),
            "split": self.split,
            "why": self.why,
        }


@dataclass(frozen=True, kw_only=True)
class Suspects:
    """The result of `suspects`."""

    snapshot: str
    generation: int
    pictures: int
    suspects: tuple[Suspect, ...]
    """The most doubtful first."""
    doubtful: int
    """Pictures for which another class is likelier than their own, listed or not."""
    twins: tuple[Twins, ...]
    decided: int
    """Pictures that are not listed since their label was decided before."""
    project: Path
    """The project folder, which paths in tables are relative to."""

    def json(self) -> dict[str, Any]:
        """As `wf suspects --json` gives it."""
        return {
            "snapshot": self.snapshot,
            "generation": self.generation,
            "pictures": self.pictures,
            "suspects": [one.json() for one in self.suspects],
            "doubtful": self.doubtful,
            "twins": [one.json() for one in self.twins],
            "decided": self.decided,
        }


@dataclass(frozen=True, kw_only=True, eq=False)
class _Known:
    """All pictures of a generation, the training pictures first."""

    pictures: list[Picture]
    splits: list[str]
    labels: NDArray[np.int64]
    """(N,), 0..C - 1."""
    pixels: NDArray[np.uint8]
    """(N, C, H, W), shrunk."""
    learned: Half
    """(N, D), the snapshot's features."""
    hashes: Hashes
    miniatures: Array


def folder(model: Model) -> Path:
    """The folder of the tables and sheets: evaluation/iter_6000/suspects/.

    Raises:
        UsageError: the model belongs to no generation.
    """
    if model.generation is None:
        raise UsageError(f"{model.name} belongs to no generation: the labels of its pictures are not known")
    return model.place.suspects


def suspects(config: Config, model: Model, *, top: int | None = None, progress: Progress | None = None) -> Suspects:
    """Find the labels that are probably wrong, and the pictures that the generation has twice.

    10,000 pictures take 35 s on one core, and 0.5 GB of memory.

    Args:
        config: says where the generations are; pictures whose label was decided in the patches beside them are not
            listed.
        model: a snapshot of the generation.
        top: how many to list at most; None is 6 % of the pictures. Only labels that another class beats are listed.
        progress: called with (done, all), all being the number of pictures.

    Raises:
        UsageError: the model belongs to no generation.
        DataError: the generation has fewer than ten pictures, or its data set is damaged or gone.
        NetError: the snapshot has no features.
    """
    generation = model.generation
    if generation is None:
        raise UsageError(f"{model.name} belongs to no generation: the labels of its pictures are not known")
    record = generation.read()
    known = _gather(model, generation, record.classes, progress)
    found = twins(known.pictures, known.splits, known.hashes, known.miniatures)
    place = {id(one): number for number, one in enumerate(known.pictures)}
    together = np.array([(place[id(one.first)], place[id(one.second)]) for one in found], np.int64).reshape(-1, 2)
    filters = patch_features.learn(known.pixels)
    rows = patch_features.features(known.pixels, filters, _part(progress, 2 * len(known.pixels), len(known.pixels)))
    classes = len(record.classes)
    fold = folds(len(rows), together, out_of_fold.FOLDS)
    near = out_of_fold.neighbours(known.learned, known.labels, classes)
    refitted = out_of_fold.ridge(rows, known.labels, classes, fold)
    likely = out_of_fold.blend(refitted, near, labels=known.labels)
    score = 1 - np.take_along_axis(likely, known.labels[:, None], axis=1)[:, 0]
    beaten = out_of_fold.margin(likely, known.labels) > 0
    settled = decided(patches(config.generations))
    order = [int(index) for index in np.argsort(-score, kind="stable") if beaten[index]]
    open_ = [one for one in order if (known.pictures[one].sha256, known.pictures[one].truth) not in settled]
    listed = open_[: math.ceil(SHARE * len(rows)) if top is None else top]
    doubted = _twin_labels(found)
    return Suspects(
        snapshot=model.name,
        generation=generation.number,
        pictures=len(rows),
        suspects=tuple(
            _suspect(known, index, float(score[index]), likely[index], near[index], record.classes, doubted)
            for index in listed
        ),
        doubtful=len(open_),
        twins=tuple(found),
        decided=len(order) - len(open_),
        project=config.project,
    )


def _gather(model: Model, generation: Generation, classes: Sequence[str], progress: Progress | None) -> _Known:
    numbers = {name: number for number, name in enumerate(classes)}
    pictures: list[Picture] = []
    splits: list[str] = []
    pixels, learned, values, small = [], [], [], []
    counts = generation.read().counts
    count = sum(sum(of_split.values()) for of_split in counts.values())
    if count < _FEWEST:
        raise DataError(f"{generation.name} has {count} pictures; too few to find doubtful labels")
    for split in counts:
        exam = of_generation(generation, model, split)
        before = len(pictures)
        learned.append(features(model, exam, progress=_part(progress, 2 * before, count)).values)
        told = _part(progress, before + exam.count, count)
        for batch in exam.batches(model, _READ):
            pictures += batch.pictures
            splits += [split] * len(batch.pictures)
            pixels.append(patch_features.shrunk(batch.pixels))
            values.append(hashes(batch.pixels))
            small.append(miniatures(batch.pixels))
            if told is not None:
                told(len(pictures), count)
    return _Known(
        pictures=pictures,
        splits=splits,
        labels=np.array([numbers[one.truth or ""] for one in pictures], np.int64),
        pixels=np.concatenate(pixels),
        learned=np.concatenate(learned),
        hashes=np.concatenate(values),
        miniatures=np.concatenate(small),
    )


def _part(progress: Progress | None, start: int, count: int) -> Progress | None:
    """Progress of one of the three looks at every picture (snapshot, hashes, filters) after `start` looks."""
    if progress is None:
        return None

    def told(done: int, total: int) -> None:
        del total
        progress((start + done) // 3, count)

    return told


def _twin_labels(found: Sequence[Twins]) -> dict[str, Picture]:
    """sha256 of a picture -> a twin of another class."""
    doubted: dict[str, Picture] = {}
    for one in found:
        if one.across_classes:
            doubted.setdefault(one.first.sha256, one.second)
            doubted.setdefault(one.second.sha256, one.first)
    return doubted


def _suspect(
    known: _Known,
    index: int,
    score: float,
    likely: NDArray[np.float64],
    near: NDArray[np.float64],
    classes: Sequence[str],
    doubted: Mapping[str, Picture],
) -> Suspect:
    picture, label = known.pictures[index], known.labels[index]
    others = np.where(np.arange(len(classes)) == label, -np.inf, likely)
    best = int(others.argmax())
    reasons = [
        f"out of fold '{classes[best]}' {likely[best]:.2f}, '{classes[label]}' {likely[label]:.2f}",
        f"of the nearest pictures {near[best]:.0%} are '{classes[best]}', {near[label]:.0%} '{classes[label]}'",
    ]
    if twin := doubted.get(picture.sha256):
        reasons.insert(0, f"twin of {twin.path}, which is '{twin.truth}'")
    return Suspect(
        picture=picture,
        split=known.splits[index],
        suggested=classes[best],
        score=score,
        why="; ".join(reasons),
    )
