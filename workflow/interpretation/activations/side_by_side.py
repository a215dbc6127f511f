"""Compare pictures blob by blob: which channels to show, their order, scale and statistics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from workflow.engines.base import Array, Session
from workflow.errors import UsageError
from workflow.interpretation.activations import grid
from workflow.interpretation.activations.inspect import DEFAULTS, wanted
from workflow.models.model import Model

Order = Literal["number", "activity"]


@dataclass(frozen=True, kw_only=True)
class Statistics:
    """Statistics of one blob for one picture, over all channels, shown or not."""

    minimum: float
    maximum: float
    mean: float
    sd: float
    zeros: float
    """Share of values that are 0, 0..1."""
    dead: tuple[int, ...]
    """Channels that are 0 everywhere."""

    @classmethod
    def of(cls, maps: Array) -> Statistics:
        """Of maps (C, h, w)."""
        return cls(
            minimum=float(maps.min()),
            maximum=float(maps.max()),
            mean=float(maps.mean(dtype=np.float64)),
            sd=float(maps.std(dtype=np.float64)),
            zeros=float((maps == 0).mean()),
            dead=tuple(np.flatnonzero(~maps.reshape(len(maps), -1).any(axis=1)).tolist()),
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Compared:
    """One blob for all the pictures."""

    name: str
    every: Array
    """float32 (pictures, channels, h, w): shown or not."""
    channels: tuple[int, ...]
    """The numbers of the shown channels, in the order in which they are shown."""
    ranges: Array
    """float32 (shown channels, 2): least and greatest value of each channel's scale, common to all pictures;
    (-m, m) where the blob has negative values, (0, m) where it has none."""
    signed: bool
    statistics: tuple[Statistics, ...]
    """One for each picture, of all channels."""

    @property
    def maps(self) -> Array:
        """float32 (pictures, shown channels, h, w)."""
        shown: Array = self.every[:, list(self.channels)]
        return shown


@dataclass(frozen=True, kw_only=True, eq=False)
class Comparison:
    """Pictures side by side."""

    snapshot: str
    images: tuple[Path, ...]
    pixels: tuple[NDArray[np.uint8], ...]
    """As a record of the training set holds them, (C, H, W)."""
    inputs: Array
    """The net's input: float32 (pictures, C, h, w), after mean, crop and scale."""
    words: tuple[str, ...]
    """The label and its probability, empty for a net that gives no such answer."""
    blobs: tuple[Compared, ...]

    def json(self) -> dict[str, Any]:
        """Blob -> the shown channels, and the statistics of each picture."""
        return {
            one.name: {
                "channels": list(one.channels),
                "statistics": [asdict(each) | {"dead": list(each.dead)} for each in one.statistics],
            }
            for one in self.blobs
        }


def compare(
    model: Model,
    session: Session,
    images: Sequence[Path],
    *,
    blobs: Sequence[str] | None = None,
    channels: Sequence[int] = (),
    order: Order = "number",
    top: int | None = None,
    each_channel: bool = False,
) -> Comparison:
    """Forward pictures one by one and put their blobs on common scales.

    Args:
        model: what was loaded.
        session: `model.open()`.
        images: picture files, at least one.
        blobs: names; None takes conv1, conv2, conv3 and pool3, or all maps of a net that has none of them.
        channels: only these, in each blob; none is all of them.
        order: by number, or the most active first: by the mean of |value| over all pictures.
        top: show this many channels at most; None shows the first 36 of conv1 and conv2, 64 of conv3 and pool3.
        each_channel: a scale for each channel, in place of one for the blob.

    Raises:
        PictureError, DataError: I01, an image cannot be read.
        UsageError: I02, no such blob; no such channel.
    """
    pixels = tuple(model.read(image) for image in images)
    passes = [model.forward(session, [one], copies=blobs or ()) for one in pixels]
    compared = []
    for name in wanted(passes[0], blobs):
        maps = np.stack([grid.channels(values[name]) for values in passes])
        limit = top if top is not None else None if channels else DEFAULTS.get(name)
        shown = choose(maps, name=name, channels=channels, order=order, top=limit)
        signed = bool((maps < 0).any())
        compared.append(
            Compared(
                name=name,
                every=maps,
                channels=tuple(shown),
                ranges=ranges(maps[:, shown], signed=signed, each_channel=each_channel),
                signed=signed,
                statistics=tuple(map(Statistics.of, maps)),
            )
        )
    return Comparison(
        snapshot=model.name,
        images=tuple(images),
        pixels=pixels,
        inputs=model.blob(np.stack(pixels)),
        words=tuple(_words(model, values) for values in passes),
        blobs=tuple(compared),
    )


def titles(images: Sequence[Path]) -> list[str]:
    """The names of picture files, with their folders where a name comes twice."""
    names = [image.name for image in images]
    return [f"{image.parent.name}/{image.name}" if names.count(image.name) > 1 else image.name for image in images]


def choose(maps: Array, *, name: str, channels: Sequence[int], order: Order, top: int | None) -> list[int]:
    """The channels of maps (pictures, C, h, w) to show, in their order.

    Raises:
        UsageError: no such channel, `top` under 1.
    """
    count = maps.shape[1]
    if top is not None and top < 1:
        raise UsageError(f"{top} channels cannot be shown", hint="--top 16")
    for channel in channels:
        if not 0 <= channel < count:
            raise UsageError(f"blob '{name}' has no channel {channel}", hint=f"it has channels 0 to {count - 1}")
    shown = list(dict.fromkeys(channels)) or list(range(count))
    if order == "activity":
        activity = np.abs(maps).mean(axis=(0, 2, 3), dtype=np.float64)
        shown.sort(key=lambda channel: -activity[channel])
    return shown[:top]


def ranges(maps: Array, *, signed: bool, each_channel: bool) -> Array:
    """The scale's ends for each channel of maps (pictures, C, h, w): float32 (C, 2), as in `Compared.ranges`."""
    most = np.abs(maps).max(axis=(0, 2, 3))
    if not each_channel:
        most = np.full_like(most, most.max())
    return np.stack([-most if signed else np.zeros_like(most), most], axis=1)


def _words(model: Model, values: dict[str, Array]) -> str:
    scores = model.probabilities(values) if model.classifies(values) else None
    if scores is None:
        return ""
    best = int(scores[0].argmax())
    return f"{model.class_name(best)} {scores[0, best]:.1%}"
