"""`wf predict`: label many pictures from files and folders; unreadable files are skipped."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workflow.data.sniff import PictureError
from workflow.engines.base import Session
from workflow.errors import DataError, EnvironmentFault, ModelError, NetError, UsageError
from workflow.formats.files import missing
from workflow.models.model import Model
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
class Skipped:
    """A file that could not be read as a picture."""

    path: Path
    reason: str
    """To be said after the path: `is truncated`."""


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


def pictures(paths: Iterable[Path]) -> list[Path]:
    """The files that were named, and those in the folders that were named and below, sorted within each.

    Hidden files and folders are left out, links to folders are not followed.

    Raises:
        UsageError: a path does not exist.
        DataError: there is no file at all.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found.extend(_below(path))
        elif path.exists():
            found.append(path)
        else:
            message, hint = missing(path)
            raise UsageError(message, hint=hint, fault="P01")
    if not found:
        raise DataError("no files found in the given folders")
    return found


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
        files: see `pictures`.
        batch: how many go through the net at once.
        progress: told (done, all) after each batch.

    Raises:
        NetError: the net has no Softmax layer; X06, classes and outputs differ.
        ModelError: C05, the net answers with no number.
        DataError: not one of the pictures can be read.
    """
    predictions: list[Prediction] = []
    skipped: list[Skipped] = []
    for start in range(0, len(files), batch):
        readable, pixels = _read(model, files[start : start + batch], skipped)
        if readable:
            predictions.extend(_label(model, session, readable, pixels))
        if progress is not None:
            progress(min(start + batch, len(files)), len(files))
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


def _below(folder: Path) -> Iterator[Path]:
    for here, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(here, name) for name in sorted(names) if not name.startswith("."))


def _read(model: Model, files: Iterable[Path], skipped: list[Skipped]) -> tuple[list[Path], list[NDArray[np.uint8]]]:
    readable, pixels = [], []
    for path in files:
        try:
            pixels.append(model.read(path))
        except PictureError as error:
            skipped.append(Skipped(path=path, reason=error.reason))
        except (DataError, EnvironmentFault) as error:
            skipped.append(Skipped(path=path, reason=f"cannot be read: {error.message}"))
        else:
            readable.append(path)
    return readable, pixels


def probabilities(
    model: Model, session: Session, pixels: Sequence[NDArray[np.uint8]]
) -> Iterator[tuple[str, dict[str, float]]]:
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


def _label(
    model: Model, session: Session, files: Sequence[Path], pixels: Sequence[NDArray[np.uint8]]
) -> Iterator[Prediction]:
    for path, (label, shares) in zip(files, probabilities(model, session, pixels), strict=True):
        yield Prediction(path=path, label=label, probability=shares[label], probabilities=shares)
