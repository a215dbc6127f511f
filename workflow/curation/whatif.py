"""`wf whatif`: what a change of the training pictures would do, in seconds: a classifier is fitted anew, not the net.

A net such as cifar10_quick is linear after its last convolutions. So a linear classifier is fitted to the features that
the snapshot already has of its training pictures (`refit`), once for the set as it is and once for the changed set, and
both label the pictures that the solver's test passes look at. The difference is what is told: how a real training with
the changed set would differ in its features is not in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workflow.config import Config
from workflow.curation import decisions
from workflow.curation.refit import Labels, Refit
from workflow.data import manifest
from workflow.errors import UsageError, did_you_mean
from workflow.exams import nearest
from workflow.exams.exam import Records, of_labelled
from workflow.exams.features import Features, features, halved
from workflow.formats.files import missing
from workflow.generations import Generation
from workflow.models.model import Model
from workflow.storage import sha256

Progress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class Edits:
    """What would be changed; the project is left as it is."""

    remove: Sequence[Path] = ()
    """Training pictures, known by their bytes."""
    relabel: Mapping[Path, str] = field(default_factory=dict)
    """Training picture -> its new class."""
    table: Path | None = None
    """A suspects.csv with decisions."""
    add: Path | None = None
    """A folder with a sub-folder for each class: more training pictures."""

    @property
    def given(self) -> bool:
        """Whether there are any."""
        return bool(self.remove or self.relabel or self.table or self.add)


@dataclass(frozen=True, kw_only=True)
class Recall:
    """The pictures of one class."""

    name: str
    count: int
    before: int
    """How many of them are right now."""
    after: int

    def json(self) -> dict[str, Any]:
        """Counts, and the shares that are right."""
        return {"pictures": self.count, "before": self.before / self.count, "after": self.after / self.count}


@dataclass(frozen=True, kw_only=True)
class Named:
    """A picture that was asked about."""

    image: Path
    before: dict[str, float]
    """Class -> score, the larger the more probable; near a probability, held to 0..1."""
    after: dict[str, float]

    @property
    def labels(self) -> tuple[str, str]:
        """Its class before and after."""
        return max(self.before, key=self.before.__getitem__), max(self.after, key=self.after.__getitem__)

    def json(self) -> dict[str, Any]:
        """Path, and the scores before and after."""
        return {"path": self.image, "before": self.before, "after": self.after}


@dataclass(frozen=True, kw_only=True)
class WhatIf:
    """The predicted effect of some edits."""

    snapshot: str
    split: str
    """The pictures that are labelled: `validation`, or `test` where there are none."""
    blob: str
    """Whose values are the features."""
    trained_on: tuple[int, int]
    """Training pictures before and after."""
    relabelled: int
    removed: int
    added: int
    known: int
    """Pictures to be added that the generation has already: they change nothing."""
    count: int
    fixed: int
    broken: int
    right: tuple[int, int]
    """How many of `count` are right before and after."""
    per_class: list[Recall]
    pictures: list[Named]

    @property
    def difference(self) -> float:
        """Accuracy after less accuracy before, -1..1."""
        return (self.right[1] - self.right[0]) / self.count

    def json(self) -> dict[str, Any]:
        """As `wf whatif --json` gives it."""
        plain = ("snapshot", "split", "blob", "relabelled", "removed", "added", "known", "count", "fixed", "broken")
        return {name: getattr(self, name) for name in plain} | {
            "training_pictures": {"before": self.trained_on[0], "after": self.trained_on[1]},
            "accuracy": {"before": self.right[0] / self.count, "after": self.right[1] / self.count},
            "difference": self.difference,
            "per_class": {one.name: one.json() for one in self.per_class},
            "pictures": [one.json() for one in self.pictures],
        }


def whatif(
    config: Config,
    model: Model,
    edits: Edits,
    *,
    images: Sequence[Path] = (),
    progress: Progress | None = None,
) -> WhatIf:
    """Predict what some edits of the training pictures would change.

    Args:
        config: says where the generations are.
        model: a snapshot of a generation; its training pictures are changed.
        edits: at least one.
        images: picture files whose scores are told.
        progress: called with (done, all) while features are computed; they are kept.

    Raises:
        UsageError: the model belongs to no generation; no edit; a picture is not a training picture; no such class.
        DataError: the table is malformed, a picture cannot be read, or the data set is damaged.
        NetError: the snapshot has no features.
    """
    training = nearest.training_set(model)
    generation = training.generation
    split = generation.read().solver_split
    known = features(model, training, progress=progress)
    judged = features(model, Records(generation=generation, split=split), progress=progress)
    added = (
        None if edits.add is None else features(model, of_labelled(edits.add, model.classes or ()), progress=progress)
    )
    classes = list(model.classes or ())
    classes += sorted({one.truth for one in added.pictures if one.truth} - set(classes)) if added is not None else []
    number = {name: place for place, name in enumerate(classes)}

    labels = _labels(known, number)
    changed = _changed(config, generation, edits, known, number)
    refit = Refit(known.values, labels, len(classes))
    before = refit.solve()

    rows = np.array(sorted(changed), np.int64)
    wanted = np.array([changed[row] for row in rows.tolist()], np.int64)
    refit.remove(known.values[rows], labels[rows])
    refit.add(known.values[rows[wanted >= 0]], wanted[wanted >= 0])
    new = np.zeros(0, np.int64) if added is None else _new(generation, added)
    if added is not None:
        refit.add(added.values[new], _labels(added, number)[new])
    if not len(rows) and not len(new):
        raise UsageError(
            "nothing would change: the pictures have these classes, or are in the data set"
            if edits.given
            else "no edit",
            hint="wf whatif --remove PICTURE, --relabel PICTURE=CLASS, --add FOLDER or --table suspects.csv",
        )
    after = refit.solve()

    truth = _labels(judged, number)
    answers = [refit.scores(weights, judged.values).argmax(1) for weights in (before, after)]
    right = [one == truth for one in answers]
    removed = int((wanted < 0).sum())
    return WhatIf(
        snapshot=model.name,
        split=split,
        blob=known.blob,
        trained_on=(len(labels), len(labels) - removed + len(new)),
        relabelled=len(rows) - removed,
        removed=removed,
        added=len(new),
        known=0 if added is None else len(added.pictures) - len(new),
        count=len(truth),
        fixed=int((~right[0] & right[1]).sum()),
        broken=int((right[0] & ~right[1]).sum()),
        right=(int(right[0].sum()), int(right[1].sum())),
        per_class=[
            Recall(name=name, count=int(own.sum()), before=int(right[0][own].sum()), after=int(right[1][own].sum()))
            for name, own in ((name, truth == number[name]) for name in classes)
            if own.any()
        ],
        pictures=[_named(model, image, known.blob, refit, (before, after), classes) for image in images],
    )


def _labels(found: Features, number: Mapping[str, int]) -> Labels:
    return np.array([number.get(one.truth or "", -1) for one in found.pictures], np.int64)


def _changed(
    config: Config, generation: Generation, edits: Edits, known: Features, number: Mapping[str, int]
) -> dict[int, int]:
    """Row of a training picture -> its new class, -1 for a removed one; rows that stay as they are are left out."""
    rows: dict[str, list[int]] = {}
    for row, one in enumerate(known.pictures):
        rows.setdefault(one.sha256, []).append(row)
    wanted: dict[str, int] = {}
    for correction in () if edits.table is None else decisions.read(config, edits.table):
        if correction.remove or correction.to is not None:
            wanted[correction.sha256] = -1 if correction.to is None else _number(correction.to, number)
    for path in edits.remove:
        wanted[_digest(path, generation, rows)] = -1
    for path, name in edits.relabel.items():
        wanted[_digest(path, generation, rows)] = _number(name, number)
    labels = _labels(known, number)
    return {row: to for digest, to in wanted.items() for row in rows.get(digest, ()) if labels[row] != to}


def _number(name: str, number: Mapping[str, int]) -> int:
    """The number of a class; a table of a newer generation may name one that the snapshot does not know.

    Raises:
        UsageError: there is no such class.
    """
    if name not in number:
        raise UsageError(f"no class '{name}'", hint=did_you_mean(name, list(number)))
    return number[name]


def _digest(path: Path, generation: Generation, rows: Mapping[str, object]) -> str:
    """The SHA-256 of a training picture's file.

    Raises:
        UsageError: there is no such file, or it is not a training picture.
    """
    if not path.is_file():
        message, hint = missing(path)
        raise UsageError(message, hint=hint, fault="P01")
    digest = sha256(path)
    if digest not in rows:
        part = next((one.split for one in manifest.read(generation) if one.sha256 == digest), None)
        place = f"it is a {part} picture" if part else "it is not in its data"
        raise UsageError(
            f"{path} is not a training picture of {generation.name}: {place}",
            hint="only training pictures can be removed or relabelled; --add FOLDER adds pictures",
        )
    return digest


def _new(generation: Generation, added: Features) -> NDArray[np.int64]:
    """The pictures that the generation has in no part, each once."""
    seen = {one.sha256 for one in manifest.read(generation)}
    new = []
    for place, one in enumerate(added.pictures):
        if one.sha256 not in seen:
            seen.add(one.sha256)
            new.append(place)
    return np.array(new, np.int64)


def _named(
    model: Model,
    image: Path,
    blob: str,
    refit: Refit,
    weights: Iterable[NDArray[np.float64]],
    classes: Sequence[str],
) -> Named:
    with model.open(images=1) as session:
        found = model.forward(session, model.read(image)[None], {blob})
    row = halved(found[blob])
    before, after = (dict(zip(classes, refit.scores(one, row)[0].clip(0, 1).tolist(), strict=True)) for one in weights)
    return Named(image=image, before=before, after=after)
