"""One picture through all snapshots of a generation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workflow.config import Config
from workflow.engines.base import Array
from workflow.errors import DataError, NetError
from workflow.generations.live import answering
from workflow.interpretation.activations import grid
from workflow.interpretation.activations.inspect import DEFAULTS, wanted
from workflow.models import loading

Progress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True, eq=False)
class Film:
    """The activations and predictions of each snapshot for a picture."""

    image: Path
    generation: str
    iterations: tuple[int, ...]
    classes: tuple[str, ...]
    probabilities: Array
    """float32 (snapshots, classes)."""
    pixels: NDArray[np.uint8]
    """(C, H, W): the picture as a record holds it."""
    maps: dict[str, Array]
    """Blob -> float32 (snapshots, channels, h, w), those that `wf inspect` shows."""

    def json(self) -> dict[str, Any]:
        """As `wf film --json` gives it."""
        return {
            "image": str(self.image),
            "snapshot": f"{self.generation}/iter_{self.iterations[-1]}",
            "iterations": list(self.iterations),
            "probabilities": {name: self.probabilities[:, number].tolist() for number, name in enumerate(self.classes)},
        }


def shoot(
    config: Config,
    image: Path,
    *,
    number: int | None = None,
    blobs: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> Film:
    """Forward one picture through every snapshot of a generation.

    The snapshots of one training are steps of one net, so that channel k of one is channel k of the next.

    Args:
        config: says where the generations are.
        image: a picture file.
        number: the generation; None is the one that `wf live` shows.
        blobs: which to show; None is those of `wf inspect`.
        progress: called with (done, all).

    Raises:
        UsageError: no such generation or blob.
        DataError: the generation has no snapshot yet, or the picture cannot be read.
        NetError: the net has no Softmax layer.
    """
    generation = answering(config, number)
    iterations = sorted(one.iteration for one in generation.read().snapshots)
    if not iterations:
        raise DataError(f"{generation.name} has no snapshot yet", hint=f"wf train --gen {generation.number}")
    rows: list[Array] = []
    kept: dict[str, list[Array]] = {}
    for done, iteration in enumerate(iterations, start=1):
        model = loading.load(config, snapshot=f"{generation.name}/iter_{iteration}", tell=done == 1)
        pixels = model.read(image)
        with model.open() as session:
            values = model.forward(session, [pixels], copies=blobs or ())
        scores = model.probabilities(values)
        if scores is None:
            raise NetError(f"{model.source} has no Softmax layer, so there are no probabilities", at=model.source)
        rows.append(scores[0])
        for name in wanted(values, blobs):
            kept.setdefault(name, []).append(grid.channels(values[name], DEFAULTS.get(name)))
        if progress is not None:
            progress(done, len(iterations))
    return Film(
        image=image,
        generation=generation.name,
        iterations=tuple(iterations),
        classes=tuple(model.class_name(index) for index in range(len(rows[0]))),
        probabilities=np.stack(rows),
        pixels=pixels,
        maps={name: np.stack(parts) for name, parts in kept.items()},
    )
