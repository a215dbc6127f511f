"""`wf blame`: which generation added a picture, under which label, and what each generation predicts."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workflow.config import Config
from workflow.data import manifest
from workflow.data.manifest import Image
from workflow.errors import ModelError, UsageError
from workflow.evaluation.changes import renamed
from workflow.exams.predict import Prediction, predict
from workflow.formats.files import missing
from workflow.generations import Generation, generations, no_generation
from workflow.models.loading import load
from workflow.storage import sha256


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What a generation did with the picture; generations that did not change it have no entry."""

    generation: str
    event: str
    """`added`, `relabelled`, `moved` (to the other split), `removed`, or `unknown` (its data set is gone)."""
    label: str | None = None
    """Its class from then on."""
    before: str | None = None
    """Its class until then, or its split for `moved`."""
    split: str | None = None
    path: str | None = None

    def json(self) -> dict[str, Any]:
        """All fields."""
        return dict(vars(self))


@dataclass(frozen=True, kw_only=True)
class Opinion:
    """The prediction of a generation's best snapshot."""

    generation: str
    snapshot: str
    prediction: Prediction
    split: str | None
    """`train` or `test` where it belongs to the generation's pictures."""
    truth: str | None
    """Its class in that generation, else in the newest that has it."""

    @property
    def right(self) -> bool | None:
        """Whether that is its class; None if its class is unknown."""
        return None if self.truth is None else self.prediction.label == self.truth

    def json(self) -> dict[str, Any]:
        """All fields."""
        return {
            "generation": self.generation,
            "snapshot": self.snapshot,
            "label": self.prediction.label,
            "probability": self.prediction.probability,
            "probabilities": self.prediction.probabilities,
            "split": self.split,
            "true": self.truth,
            "right": self.right,
        }


@dataclass(frozen=True, kw_only=True)
class Blame:
    """The history of a picture."""

    image: Path
    sha256: str
    entries: tuple[Entry, ...]
    opinions: tuple[Opinion, ...]
    """Predictions of every generation with a snapshot, oldest first, also of those before it was added."""
    silent: tuple[str, ...]
    """Generations that have no readable snapshot."""

    @property
    def brought_by(self) -> Entry | None:
        """The first generation that has it."""
        return next((one for one in self.entries if one.event == "added"), None)

    @property
    def label(self) -> str | None:
        """Its class in the newest generation that has it."""
        return next((one.label for one in reversed(self.entries) if one.label is not None), None)

    def json(self) -> dict[str, Any]:
        """As `wf blame --json` gives it."""
        first = self.brought_by
        return {
            "image": str(self.image),
            "sha256": self.sha256,
            "brought_by": first.generation if first is not None else None,
            "first_label": first.label if first is not None else None,
            "label": self.label,
            "history": [one.json() for one in self.entries],
            "answers": [one.json() for one in self.opinions],
            "without_snapshot": list(self.silent),
        }


def blame(config: Config, image: Path) -> Blame:
    """Follow a picture, by the bytes of its file, through all generations.

    Args:
        config: says where they are.
        image: the file; it may have been moved.

    Raises:
        UsageError: P01 there is no such file; L01 there is no generation.
        DataError: I01 it cannot be read as a picture; a manifest is damaged.
    """
    if not image.is_file():
        message, hint = missing(image)
        raise UsageError(message, hint=hint, fault="P01")
    found = [one for one in generations(config) if one.record_path.is_file()]
    if not found:
        raise no_generation(config)
    digest = sha256(image)
    places = {one.name: _find(one, digest) for one in found}
    newest = next((place for place in reversed(places.values()) if place is not None), None)
    opinions = [
        opinion
        for one in found
        if one.read().best is not None
        and (opinion := _opinion(config, one, image, places[one.name], newest)) is not None
    ]
    return Blame(
        image=image,
        sha256=digest,
        entries=tuple(_entries(found, places)),
        opinions=tuple(opinions),
        silent=tuple(one.name for one in found if one.name not in {opinion.generation for opinion in opinions}),
    )


def _find(one: Generation, sha256: str) -> Image | None:
    if not one.manifest.is_file():
        return None
    return next((image for image in manifest.read(one) if image.sha256 == sha256), None)


def _entries(found: list[Generation], places: dict[str, Image | None]) -> Iterator[Entry]:
    was: Image | None = None
    classes: tuple[str, ...] = ()
    for one in found:
        if not one.manifest.is_file():
            yield Entry(generation=one.name, event="unknown")
            continue
        names = renamed(classes, theirs := one.read().classes)
        now, classes = places[one.name], theirs
        if now is None:
            if was is not None:
                yield Entry(generation=one.name, event="removed", before=was.class_name)
            was = None
            continue
        facts = {"generation": one.name, "label": now.class_name, "split": now.split, "path": now.path}
        if was is None:
            yield Entry(event="added", **facts)
        elif names.get(was.class_name, was.class_name) != now.class_name:
            yield Entry(event="relabelled", before=was.class_name, **facts)
        if was is not None and was.split != now.split:
            yield Entry(event="moved", before=was.split, **facts)
        was = now


def _opinion(config: Config, one: Generation, image: Path, place: Image | None, newest: Image | None) -> Opinion | None:
    try:
        model = load(config, snapshot=f"{one.name}/best", tell=False)
    except ModelError as error:
        logging.getLogger("workflow").warning("%s is skipped: %s", one.name, error.message)
        return None
    model.read(image)  # raises what is wrong with a file that is not a picture
    answer = predict(model, [image]).predictions[0]
    known = place or newest
    return Opinion(
        generation=one.name,
        snapshot=model.name,
        prediction=answer,
        split=place.split if place is not None else None,
        truth=known.class_name if known is not None else None,
    )
