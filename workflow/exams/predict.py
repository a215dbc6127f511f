"""Label many pictures; files that cannot be read are skipped."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from workflow.engines.base import Array, Session
from workflow.errors import DataError, ModelError, NetError
from workflow.exams.files import Files
from workflow.exams.listing import Listing, Rows
from workflow.exams.novelty import DISTANCE, UNKNOWN, Novelty
from workflow.exams.passes import passes
from workflow.exams.picture import PART, Picture, Skipped
from workflow.exams.temperature import scaled
from workflow.models.model import Model, Pictures
from workflow.paths import PathOrAddress, path_or_address
from workflow.storage import write_table


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """A net's prediction for a picture."""

    path: PathOrAddress
    label: str
    """A class, or `unknown`."""
    class_name: str
    """The most probable class, whether it is the label or not."""
    probability: float
    """Probability of that class, 0..1, as Caffe's Softmax gives it."""
    probabilities: dict[str, float]
    """Class -> 0..1, in the order of the classes."""
    calibrated: float | None = None
    """The calibrated confidence in that class, 0..1; None for a snapshot without a temperature."""
    distance: float | None = None
    """To the classes' training pictures, `unknown` beyond 1; None where it was not asked for, or there is no rule."""

    def json(self) -> dict[str, Any]:
        """As `wf predict --json` gives it: `calibrated` with a temperature, `distance` and `class` with a rule."""
        facts = vars(self) | {"path": str(self.path)}
        if self.distance is not None:
            facts["class"] = self.class_name
        return {name: value for name, value in facts.items() if value is not None and name != "class_name"}


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """All labels, in the order of the files."""

    snapshot: str
    predictions: Sequence[Prediction]
    skipped: tuple[Skipped, ...]
    temperature: float | None = None
    """Temperature of the calibrated confidence."""
    tally: Mapping[tuple[str, str], int]
    """How many pictures have a label and a most probable class."""

    def json(self) -> dict[str, Any]:
        """As `wf predict --json` gives it."""
        return self.frame() | {"predictions": [one.json() for one in self.predictions]}

    def frame(self) -> dict[str, Any]:
        """The same without the predictions, of which there may be very many."""
        skipped = [{"path": str(one.path), "reason": one.reason} for one in self.skipped]
        temperature = {} if self.temperature is None else {"temperature": self.temperature}
        return {"snapshot": self.snapshot, **temperature, "predictions": [], "skipped": skipped}


class _Kept(Sequence[Prediction]):
    """Predictions on disk: made when they are looked at."""

    def __init__(self, model: Model, names: Sequence[str]) -> None:
        self._model, self._names = model, names
        self._listing = Listing()
        self._rows = Rows(np.float32)
        self._away = Rows(np.float64)
        self.tally: Counter[tuple[str, str]] = Counter()

    def extend(self, pictures: Iterable[Picture], scores: Array, away: NDArray[np.float64]) -> None:
        """Add pictures, their probabilities (N, classes) and their distances (N,), NaN without a rule."""
        for one in pictures:
            self._listing.append(os.fsencode(one.path))
        self._rows.extend(scores)
        self._away.extend(away.reshape(-1, 1))
        names = [self._names[best] for best in scores.argmax(axis=1).tolist()]
        self.tally.update((_label(one, distance), one) for one, distance in zip(names, away.tolist(), strict=True))

    def __len__(self) -> int:
        return len(self._listing)

    @overload
    def __getitem__(self, index: int) -> Prediction: ...

    @overload
    def __getitem__(self, index: slice) -> list[Prediction]: ...

    def __getitem__(self, index: int | slice) -> Prediction | list[Prediction]:
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            if step != 1:
                return [self[place] for place in range(start, stop, step)]
            return list(self._read(start, max(start, stop)))
        place = range(len(self))[index]
        return next(self._read(place, place + 1))

    def __iter__(self) -> Iterator[Prediction]:
        for start in range(0, len(self), PART):
            yield from self._read(start, min(start + PART, len(self)))

    def _read(self, start: int, stop: int) -> Iterator[Prediction]:
        rows, temperature = self._rows.read(start, stop), self._model.temperature
        sure: list[float | None] = [None] * len(rows)
        if temperature is not None:
            sure = scaled(rows.astype(np.float64), temperature).max(axis=1).tolist()
        away = self._away.read(start, stop)[:, 0].tolist()
        facts = zip(self._listing[start:stop], rows.tolist(), rows.argmax(axis=1).tolist(), sure, away, strict=True)
        for (path, _), values, best, calibrated, distance in facts:
            name = self._names[best]
            yield Prediction(
                path=path_or_address(path),
                label=_label(name, distance),
                class_name=name,
                probability=values[best],
                probabilities=dict(zip(self._names, values, strict=True)),
                calibrated=calibrated,
                distance=None if math.isnan(distance) else distance,
            )


def _label(name: str, distance: float) -> str:
    return UNKNOWN if distance > 1 else name


def predict(
    model: Model,
    files: Sequence[PathOrAddress] | Listing,
    *,
    rule: Novelty | None = None,
    engine: str | None = None,
    ignore: Sequence[str] = (),
    shares: PathOrAddress | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Predictions:
    """Label pictures; memory does not grow with their number.

    Args:
        model: what was loaded.
        files: see `exams.files.pictures`.
        rule: of the model; pictures beyond its limit are `unknown`. None accepts all.
        engine: the engine's name; None takes the fastest for the job.
        ignore: layers whose weights are not copied.
        shares: a folder in which all shares of these pictures are done already, see `predict_share`.
        progress: called with (done, all) now and then.

    Raises:
        NetError: the net has no Softmax layer; X06, classes and outputs differ.
        ModelError: C05, the net answers with no number.
        UsageError: the shares are of other pictures or of another snapshot.
        DataError: not one of the pictures can be read, or shares are missing.
    """
    exam = _exam(files)
    kept: _Kept | None = None
    wanted = _wanted(model)
    if shares is None:
        found = passes(model, exam, wanted, rule=rule, engine=engine, ignore=ignore)
    else:
        from workflow.exams.shares import gathered

        found = gathered(model, exam, wanted, out=shares, rule=rule, engine=engine, ignore=ignore)
    with closing(found):  # its temporary folder goes, whatever is raised here
        for pictures, blobs in found:
            names, scores = _shares(model, blobs)
            kept = kept or _Kept(model, names)
            kept.extend(pictures, scores, np.full(len(scores), np.nan) if rule is None else blobs[DISTANCE])
            if progress is not None:
                progress(len(kept) + len(exam.skipped), exam.count)
    skipped = exam.skipped
    if kept is None and skipped:
        more = f", and {len(skipped) - 1:,} more like it" if len(skipped) > 1 else ""
        raise DataError(f"no picture can be read: {skipped[0].path} {skipped[0].reason}{more}", fault="P07")
    return Predictions(
        snapshot=model.name,
        predictions=() if kept is None else kept,
        skipped=tuple(skipped),
        temperature=model.temperature,
        tally={} if kept is None else kept.tally,
    )


def predict_share(
    model: Model,
    files: Sequence[PathOrAddress] | Listing,
    out: PathOrAddress,
    share: str,
    *,
    rule: Novelty | None = None,
    engine: str | None = None,
    ignore: Sequence[str] = (),
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Do a share of the work of `predict`, on any machine; how many files it has.

    Args:
        model: as of `predict`, as the other options; all are the same for all shares.
        files: all of them, not those of the share alone.
        out: a folder that all machines see; what is there already is not done again.
        share: `3/64`, the third of 64.
        rule: of the model.
        engine: the engine's name.
        ignore: layers whose weights are not copied.
        progress: called with (done, all files of the share) now and then.

    Raises:
        NetError, UsageError, EnvironmentFault: as `shares.do_share`.
    """
    from workflow.exams.shares import Share, do_share

    return do_share(
        model,
        _exam(files),
        _wanted(model),
        out=out,
        share=Share.parsed(share),
        rule=rule,
        engine=engine,
        ignore=ignore,
        progress=progress,
    )


def _exam(files: Sequence[PathOrAddress] | Listing) -> Files:
    return Files(name="", files=files if isinstance(files, Listing) else [(str(path), None) for path in files])


def write_csv(path: Path, result: Predictions) -> None:
    """Write a table of path, label, probability and one column for each class; whole or not at all.

    Where the snapshot has a temperature, the column `calibrated` is beside `probability`.

    Raises:
        OSError: as the operating system says it.
    """
    classes = list(result.predictions[0].probabilities) if result.predictions else []
    more = [] if result.temperature is None else ["calibrated"]

    def row(one: Prediction) -> list[object]:
        calibrated = [] if one.calibrated is None else [one.calibrated]
        shares = [one.probability, *calibrated, *(one.probabilities[name] for name in classes)]
        return [one.path, one.label, *(f"{share:.6g}" for share in shares)]

    write_table(path, ["path", "label", "probability", *more, *classes], map(row, result.predictions))


def probabilities(
    model: Model, session: Session, pixels: Pictures, rule: Novelty | None = None
) -> Iterator[tuple[str, dict[str, float], float | None]]:
    """The class of each picture, the probability of every class in the order of the classes, and the distance.

    Args:
        model: what was loaded.
        session: on its net.
        pixels: uint8 (C, H, W) each, as `model.read` gives them.
        rule: of the model, which gives the distances; without one they are None.

    Raises:
        NetError: the net has no Softmax layer; X06, classes and outputs differ.
        ModelError: C05, the net answers with no number.
    """
    blobs = model.forward(session, pixels, _wanted(model) | (set() if rule is None else rule.blobs))
    names, scores = _shares(model, blobs)
    distances = [None] * len(scores) if rule is None else rule.distance(blobs).tolist()
    for row, distance in zip(scores, distances, strict=True):
        yield names[int(row.argmax())], dict(zip(names, row.tolist(), strict=True)), distance


def _wanted(model: Model) -> set[str]:
    if model.output is None:
        raise NetError(f"{model.source} has no Softmax layer, so there are no probabilities", at=model.source)
    return {model.output}


def _shares(model: Model, blobs: Mapping[str, Array]) -> tuple[list[str], Array]:
    """The classes' names and float32 (N, classes)."""
    scores = model.probabilities(blobs)
    assert scores is not None  # noqa: S101 - there is an output
    if np.isnan(scores).any():
        raise ModelError(
            f"{model.name} gives no probability but NaN",
            hint="use an earlier snapshot; wf inspect shows why",
            fault="C05",
        )
    return [model.class_name(index) for index in range(scores.shape[1])], scores
