"""One picture through several generations, with the channels of the newest matched in the older ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from workflow.config import Config, Preprocessing
from workflow.engines.base import Array
from workflow.errors import NetError, UsageError
from workflow.exams.shared_pictures import SharedPictures
from workflow.generations import Reference, existing, generations, resolve
from workflow.interpretation.activations import grid
from workflow.interpretation.activations.correspondence import Matches, Progress, class_blobs, correspond
from workflow.interpretation.activations.inspect import DEFAULTS, wanted
from workflow.models import loading
from workflow.models.model import Model

PICTURES = 300
"""Test pictures that channels are matched by, at most. A map of 4 x 4 gives 4,800 samples then, and the sampling
error of a correlation is well below the thresholds (0.06 for blobs of single values)."""

Which = Literal["latest", "best"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Appearance:
    """One generation's column."""

    generation: int
    snapshot: str
    """`gen4/iter_6000`."""
    iteration: int
    classes: tuple[str, ...]
    preprocessing: Preprocessing
    pixels: NDArray[np.uint8]
    """(C, H, W): the picture as a record of this generation holds it."""
    probabilities: dict[str, float]

    @property
    def label(self) -> str:
        """The most probable class."""
        return max(self.probabilities, key=lambda name: self.probabilities[name])


@dataclass(frozen=True, kw_only=True, eq=False)
class Lineage:
    """The activations and predictions of each generation for a picture."""

    image: Path
    columns: tuple[Appearance, ...]
    """Oldest first; the last is the reference."""
    without: tuple[str, ...]
    """Generations that have no snapshot, and were not named."""
    maps: dict[str, Array]
    """Blob -> float32 (generations, channels of the reference, h, w); NaN where a channel has no counterpart."""
    named: frozenset[str]
    """Blobs whose channels are classes."""
    matches: Matches
    """Blob -> for each generation but the reference, for each of its channels."""
    pictures: int
    """Test pictures of the reference that the channels were matched by."""
    left_out: tuple[str, ...]
    """Paths of test pictures that were needed, but no longer exist."""

    @property
    def reference(self) -> Appearance:
        """The newest generation."""
        return self.columns[-1]

    @property
    def classes(self) -> tuple[str, ...]:
        """The reference's, then those that only older generations know."""
        return tuple(dict.fromkeys(name for one in reversed(self.columns) for name in one.classes))

    def shown(self, blob: str) -> int:
        """How many of a blob's channels a picture shows: the first 36 of conv1 and conv2, 64 of conv3 and pool3."""
        count: int = self.maps[blob].shape[1]
        return min(DEFAULTS.get(blob, count), count)

    def json(self) -> dict[str, Any]:
        """As `wf film --generations --json` gives it."""
        return {
            "image": str(self.image),
            "snapshot": self.reference.snapshot,
            "generations": [one.generation for one in self.columns],
            "snapshots": [one.snapshot for one in self.columns],
            "iterations": [one.iteration for one in self.columns],
            "without_snapshot": list(self.without),
            "probabilities": {name: [one.probabilities.get(name) for one in self.columns] for name in self.classes},
            "matched_by": {"pictures": self.pictures, "left_out": list(self.left_out)},
            "matches": {name: self._matches(name) for name in self.maps},
        }

    def _matches(self, blob: str) -> dict[str, Any]:
        return {
            "reference": self.reference.generation,
            "by": "class" if blob in self.named else "correlation",
            "channels": [
                {
                    "generation": column.generation,
                    "reference_channel": number,
                    **({"class": self.reference.classes[number]} if blob in self.named else {}),
                    "matched": one.channel is not None,
                    "channel": one.channel,
                    "correlation": one.correlation,
                    "threshold": one.threshold,
                    "reason": one.reason,
                }
                for column, found in zip(self.columns, self.matches[blob], strict=False)
                for number, one in enumerate(found)
            ],
        }


def trace(
    config: Config,
    image: Path,
    *,
    numbers: Sequence[int] | None = None,
    which: Which = "latest",
    blobs: Sequence[str] | None = None,
    engine: str | None = None,
    progress: Progress | None = None,
) -> Lineage:
    """Forward one picture through a snapshot of each generation, and match the channels of all to the newest one's.

    Args:
        config: says where the generations are.
        image: a picture file.
        numbers: of the generations, two at least; None is all that have a snapshot.
        which: the newest snapshot of each, or the one of the highest test accuracy.
        blobs: which to show; None is those of `wf inspect`, and the probabilities.
        engine: the engine's name; None takes the fastest for the job.
        progress: called with (done, all) in test pictures.

    Raises:
        UsageError: no such generation, snapshot or blob; fewer than two generations.
        DataError: the picture cannot be read; the newest generation has no test pictures.
        NetError: a net has no Softmax layer.
    """
    references, without = _snapshots(config, numbers, which)
    models = [loading.load(config, snapshot=one.name, tell=False) for one in references]
    passes = [_pass(model, image, engine) for model in models]
    values = [found for _, found in passes]
    newest = models[-1]
    names = wanted(values[-1], blobs)
    if blobs is None and newest.output is not None:
        names.append(newest.output)
    for name in names:
        if values[-1][name].ndim < 2:
            raise UsageError(f"blob '{name}' is {values[-1][name].shape}: it has no channels", fault="I02")
    shapes = [{name: array.shape for name, array in found.items()} for found in values]
    home = references[-1].generation or existing(config, None)
    pictures = SharedPictures(generation=home, limit=PICTURES)
    matches = correspond(models[:-1], newest, shapes, names, pictures, engine=engine, progress=progress)
    return Lineage(
        image=image,
        columns=tuple(
            _appearance(reference, model, pixels, found)
            for reference, model, (pixels, found) in zip(references, models, passes, strict=True)
        ),
        without=tuple(without),
        maps={name: _maps(values, name, matches) for name in names},
        named=frozenset(class_blobs(newest, shapes[-1]).intersection(names)),
        matches=matches,
        pictures=pictures.used,
        left_out=tuple(pictures.left_out),
    )


def _snapshots(config: Config, numbers: Sequence[int] | None, which: Which) -> tuple[list[Reference], list[str]]:
    existing(config)  # there is at least one
    found = generations(config) if numbers is None else [existing(config, number) for number in sorted(set(numbers))]
    without = [one.name for one in found if numbers is None and not one.read().snapshots]
    chosen = [resolve(config, which, one.number) for one in found if one.name not in without]
    if len(chosen) < 2:
        known = ", ".join(str(one.number) for one in generations(config) if one.read().snapshots) or "none"
        raise UsageError(
            f"a film over generations needs two with a snapshot, got {len(chosen)} (with a snapshot: {known})",
            hint="--gen N shows all snapshots of one generation",
        )
    return chosen, without


def _pass(model: Model, image: Path, engine: str | None) -> tuple[NDArray[np.uint8], dict[str, Array]]:
    pixels = model.read(image)
    with model.open(engine) as session:
        return pixels, model.forward(session, [pixels])


def _appearance(reference: Reference, model: Model, pixels: NDArray[np.uint8], values: dict[str, Array]) -> Appearance:
    scores = model.probabilities(values)
    if scores is None:
        raise NetError(f"{model.source} has no Softmax layer, so there are no probabilities", at=model.source)
    names = [model.class_name(number) for number in range(scores.shape[1])]
    return Appearance(
        generation=reference.generation.number if reference.generation is not None else 0,
        snapshot=model.name,
        iteration=reference.iteration or 0,
        classes=tuple(names),
        preprocessing=model.preprocessing,
        pixels=pixels,
        probabilities=dict(zip(names, scores[0].tolist(), strict=True)),
    )


def _maps(values: Sequence[dict[str, Array]], name: str, matches: Matches) -> Array:
    own = grid.channels(values[-1][name])
    maps = np.full((len(values), *own.shape), np.nan, np.float32)
    maps[-1] = own
    for place, found in enumerate(matches[name]):
        pairs = [(number, one.channel) for number, one in enumerate(found) if one.channel is not None]
        if pairs:
            mine, theirs = map(list, zip(*pairs, strict=True))
            maps[place, mine] = grid.channels(values[place][name])[theirs]
    return maps
