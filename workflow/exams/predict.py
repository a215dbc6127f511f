"""Label many pictures; files that cannot be read are skipped."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from workflow.engines.base import Session
from workflow.errors import DataError, ModelError, NetError
from workflow.exams.files import Files
from workflow.exams.picture import Skipped
from workflow.models.model import Model, Pictures
from workflow.storage import write_table

BATCH = 100


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """A net's prediction for a picture."""

    path: Path
    label: str
    probability: float
    """Of the label, 0..1."""
    probabilities: dict[str, float]
    """Class -> 0..1, in the order of the classes."""


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """All labels, in the order of the files."""

    snapshot: str
    predictions: tuple[Prediction, ...]
    skipped: tuple[Skipped, ...]

    def json(self) -> dict[str, Any]:
        """As `wf predict --json` gives it."""
        return {
            "snapshot": self.snapshot,
            "predictions": [vars(one) | {"path": str(one.path)} for one in self.predictions],
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
                Prediction(path=Path(one.path), label=label, probability=shares[label], probabilities=shares)
            )
        if progress is not None:
            progress(len(predictions) + len(exam.skipped), len(files))
    skipped = exam.skipped
    if not predictions and skipped:
        more = f", and {len(skipped) - 1:,} more like it" if len(skipped) > 1 else ""
        raise DataError(f"no picture can be read: {skipped[0].path} {skipped[0].reason}{more}", fault="P07")
    return Predictions(snapshot=model.name, predictions=tuple(predictions), skipped=tuple(skipped))


def write_csv(path: Path, result: Predictions) -> None:
    """Write a table of path, label, probability and one column for each class; whole or not at all.

    Raises:
        OSError: as the operating system says it.
    """
    classes = list(result.predictions[0].probabilities) if result.predictions else []
    rows = (
        [one.path, one.label, f"{one.probability:.6g}", *(f"{one.probabilities[name]:.6g}" for name in classes)]
        for one in result.predictions
    )
    write_table(path, ["path", "label", "probability", *classes], rows)


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
