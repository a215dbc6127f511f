"""`wf invert`: reconstruct a picture from each stage of the net."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workflow.errors import UsageError
from workflow.interpretation.differentiable import Differentiable
from workflow.interpretation.synthesis import decoder
from workflow.interpretation.synthesis.image_similarity import psnr, ssim
from workflow.interpretation.synthesis.reconstruction import Settings, feature_error, features, invert, stages
from workflow.models.model import Model

Pixels = NDArray[np.uint8]
Progress = Callable[[int, int], None]

_log = logging.getLogger("workflow")


@dataclass(frozen=True, kw_only=True, eq=False)
class Rebuilt:
    """One picture made from one blob."""

    blob: str
    how: str
    """`optimisation` or `decoder`."""
    pixels: Pixels
    """(C, H, W)."""
    feature_error: float
    """||f(rebuilt) - f(picture)|| / ||f(picture)||."""
    psnr: float
    """dB, against the picture."""
    ssim: float
    """-1..1, against the picture."""

    def json(self) -> dict[str, Any]:
        """As `wf invert --json` gives it."""
        return {
            "blob": self.blob,
            "how": self.how,
            "feature_error": self.feature_error,
            "psnr": self.psnr,
            "ssim": self.ssim,
        }


@dataclass(frozen=True, kw_only=True, eq=False)
class Inversion:
    """A picture, and its reconstruction from each blob."""

    image: Path
    snapshot: str
    pixels: Pixels
    """(C, H, W): the picture as a record holds it."""
    label: str | None
    """The predicted class."""
    rebuilt: tuple[Rebuilt, ...]
    """In net order; for each blob by optimisation first, then by its decoder."""

    def json(self) -> dict[str, Any]:
        """The document of `wf invert --json`; the deepest blob's result is also at the top level."""
        deepest = [one for one in self.rebuilt if one.how == "optimisation"][-1]
        return {
            "image": str(self.image),
            "snapshot": self.snapshot,
            "label": self.label,
            **deepest.json(),
            "stages": [one.json() for one in self.rebuilt],
        }


def rebuild(
    model: Model,
    image: Path,
    *,
    blobs: Sequence[str] = (),
    train: bool = False,
    settings: Settings | None = None,
    progress: Progress | None = None,
) -> Inversion:
    """Rebuild a picture from its activations at each stage.

    Args:
        model: the snapshot.
        image: a picture file.
        blobs: their names; if empty, the convolutions, the last pooling and the first flat blob.
        train: train the decoders that are missing, a minute each; otherwise only existing ones are used.
        settings: of the optimisation.
        progress: called with (done, all), in steps.

    Raises:
        UsageError: I02, no such blob; decoders for a model from elsewhere, whose training pictures are not known.
        NetError: a layer on the way cannot be differentiated; it is named.
        PictureError, DataError: the picture cannot be read.
    """
    if train and model.generation is None:
        raise UsageError(f"{model.name} belongs to no generation: there are no pictures to train a decoder on")
    settings = settings or Settings()
    net = Differentiable(model)
    names = [net.known(name) for name in dict.fromkeys(blobs or stages(net))]
    pixels = np.asarray(model.read(image))[None]
    missing = [name for name in names if train and decoder.kept(net, name) is None]
    every = settings.steps + decoder.STEPS * len(missing)
    found: list[Rebuilt] = []
    done = 0

    def part(length: int) -> Progress | None:
        nonlocal done
        start, done = done, done + length
        return None if progress is None else lambda step, _: progress(start + step, every)

    copies = np.repeat(pixels, len(names), axis=0)  # one for each blob
    made = invert(net, copies, names, settings, progress=part(settings.steps))
    for row, name in enumerate(names):
        kept = features(net, pixels, name)
        if float(kept.max()) == float(kept.min()):
            _log.warning(
                "blob '%s' is %.4g throughout: it holds no information about the picture, and the result is random",
                name,
                float(kept.max()),
            )
        found.append(_judged(net, pixels, made[row : row + 1], name))
        painter = decoder.kept(net, name) if model.generation is not None else None
        if painter is None and name in missing:
            painter = decoder.train(net, name, progress=part(decoder.STEPS))
        if painter is not None:
            found.append(_judged(net, pixels, painter.paint(kept), name, how="decoder"))
    scores = net(net.blob(pixels)).flatten(1)
    return Inversion(
        image=image,
        snapshot=model.name,
        pixels=pixels[0],
        label=None if model.output is None else model.class_name(int(scores.argmax())),
        rebuilt=tuple(found),
    )


def _judged(net: Differentiable, pixels: Pixels, made: Pixels, blob: str, how: str = "optimisation") -> Rebuilt:
    return Rebuilt(
        blob=blob,
        how=how,
        pixels=made[0],
        feature_error=float(feature_error(net, pixels, made, blob)[0]),
        psnr=psnr(pixels[0], made[0]),
        ssim=ssim(pixels[0], made[0]),
    )
