"""Label many pictures; files that cannot be read are skipped."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from workflow.engines.base import Session
from workflow.errors import DataError, ModelError, NetError
from workflow.exams.files import Files
from workflow.exams.picture import Skipped
from workflow.exams.temperature import scaled
from workflow.models.model import Model, Pictures
from workflow.storage import write_table

BATCH = 100


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """A net's prediction for a picture."""

    path: Path
    label: str
    probability: float
    """Of the label, 0..1, as Caffe's Softmax gives it."""
    probabilities: dict[str, float]
    """Class -> 0..1, in the order of the classes."""
    calibrated: float | None = None
    """The calibrated confidence in the label, 0..1; None for a snapshot without a temperature."""

    def json(self) -> dict[str, Any]:
        """Everything; `calibrated` where there is one."""
        return {name: value for name, value in (vars(self) | {"path": str(self.path)}).items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """All labels, in the order of the files."""

    snapshot: str
    predictions: tuple[Prediction, ...]
    skipped: tuple[Skipped, ...]
    temperature: float | None = None
    """Of the calibrated confidence."""

    def json(self) -> dict[str, Any]:
        """As `wf predict --json` gives it."""
        return {
            "snapshot": self.snapshot,
            **({} if self.temperature is None else {"temperature": self.temperature}),
            "predictions": [one.json() for one in self.predictions],
            "skipped": [{"path": str(one.path), "reason": one.reason} for one in self.skipped],
        }


def predict(
    model: Model,
    session: Session,
    files: Sequence[Path],
    *,
    batch: int = BATCH,
    progress: Callable[[int, int], None] | None = None,
) -> Predictions:
    """Label pictures, `batch` at a time, so that memory does not grow with their number.

    Args:
        model: what was loaded.
        session: `model.open(images=len(files))`.
        files: see `exams.files.pictures`.
        batch: how many go through the net at once.
        progress: called with (done, all) after each batch.

    Raises:
        NetError: the net has no Softmax layer; X06, classes and outputs differ.
        ModelError: C05, the net answers with no number.
        DataError: not one of the pictures can be read.
    """
    exam = Files(name="", files=[(str(path), None) for path in files])
    predictions: list[Prediction] = []
    for pictures, pixels in exam.batches(model, batch):
        for one, (label, shares) in zip(pictures, probabilities(model, session, pixels), strict=True):
            predictions.append(
                Prediction(
                    path=Path(one.path),
                    label=label,
                    probability=shares[label],
                    probabilities=shares,
                    calibrated=calibrated(model, shares).get(label),
                )
            )
        if progress is not None:
            progress(len(predictions) + len(exam.skipped), len(files))
    skipped = exam.skipped
    if not predictions and skipped:
        more = f", and {len(skipped) - 1:,} more like it" if len(skipped) > 1 else ""
        raise DataError(f"no picture can be read: {skipped[0].path} {skipped[0].reason}{more}", fault="P07")
    return Predictions(
        snapshot=model.name,
        predictions=tuple(predictions),
        skipped=tuple(skipped),
        temperature=model.temperature,
    )


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


def probabilities(model: Model, session: Session, pixels: Pictures) -> Iterator[tuple[str, dict[str, float]]]:
    """The class of each picture, and the probability of every class in the order of the classes.

    Args:
        model: what was loaded.
        session: on its net.
        pixels: uint8 (C, H, W) each, as `model.read` gives them.

    Raises:
        NetError: the net has no Softmax layer; X06, classes and outputs differ.
        ModelError: C05, the net answers with no number.
    """
    scores = model.probabilities(model.forward(session, pixels, {model.output} if model.output else set()))
    if scores is None:
        raise NetError(f"{model.source} has no Softmax layer, so there are no probabilities", at=model.source)
    names = [model.class_name(index) for index in range(scores.shape[1])]
    if np.isnan(scores).any():
        raise ModelError(
            f"{model.name} gives no probability but NaN",
            hint="use an earlier snapshot; wf inspect shows why",
            fault="C05",
        )
    for row in scores:
        yield names[int(row.argmax())], dict(zip(names, row.tolist(), strict=True))


def calibrated(model: Model, shares: Mapping[str, float]) -> dict[str, float]:
    """The calibrated confidence of each class, 0..1; empty for a snapshot without a temperature.

    Args:
        model: what was loaded.
        shares: class -> probability, of one picture.
    """
    if model.temperature is None or not shares:
        return {}
    row = scaled(np.array([list(shares.values())]), model.temperature)[0]
    return dict(zip(shares, row.tolist(), strict=True))
