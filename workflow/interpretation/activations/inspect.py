"""`wf inspect`: the shape of every blob, the probabilities, and grids of the requested blobs."""

from __future__ import annotations

import logging
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workflow.engines.base import Array, Session, Shape
from workflow.errors import UsageError, did_you_mean
from workflow.exams import novelty
from workflow.exams.temperature import calibrated
from workflow.interpretation.activations import grid
from workflow.interpretation.activations.class_map import ClassMap, class_map
from workflow.models.model import Model
from workflow.storage import replacing

DEFAULTS = {"conv1": 36, "conv2": 36, "conv3": 64, "pool3": 64}
"""The pictures that are made unless others are asked for, and the most channels that each shows."""

MAPS = 12
"""Of a net that has fewer than two of those, the first maps that are drawn unless others are asked for."""

_log = logging.getLogger("workflow")


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """What a net made of one picture."""

    image: Path
    snapshot: str
    blobs: dict[str, Shape]
    """Every blob's shape, in net order."""
    probabilities: dict[str, float]
    """Class -> 0..1, in the order of the classes; empty for a net that does not give a picture one such vector."""
    label: str | None
    """The most probable class."""
    pictures: dict[str, Path]
    """Blob -> the grid that shows it."""
    not_drawn: tuple[str, ...]
    """Blobs that are maps, too, but were not drawn since a large net has too many; empty where blobs were asked for."""
    class_map: ClassMap | None
    """Class map of a fully convolutional net."""
    flat: dict[str, float] = field(default_factory=dict)
    """Blobs that are drawn and hold one number throughout -> that number."""
    maps: dict[str, Array] = field(default_factory=dict, repr=False)
    """The blobs that are drawn, float32."""
    calibrated: dict[str, float] = field(default_factory=dict)
    """Class -> calibrated confidence, 0..1; empty for a snapshot without a temperature."""
    temperature: float | None = None
    """Temperature of that confidence."""
    distance: float | None = None
    """To the classes' training pictures, `unknown` beyond 1; None without a rule, see `exams.novelty`."""
    pixels: NDArray[np.uint8] | None = field(default=None, repr=False)
    """uint8 (C, H, W): the picture as a record holds it; kept for a class map."""

    @property
    def tiles(self) -> dict[str, int]:
        """Blob of `maps` -> how many channels its grid shows, from the first on."""
        return {name: len(grid.channels(array, DEFAULTS.get(name))) for name, array in self.maps.items()}

    def json(self) -> dict[str, Any]:
        """As `wf inspect --json` gives it."""
        document = {
            "image": str(self.image),
            "snapshot": self.snapshot,
            "blobs": {name: list(shape) for name, shape in self.blobs.items()},
            "probabilities": self.probabilities,
            **({"temperature": self.temperature, "calibrated": self.calibrated} if self.calibrated else {}),
            "label": self.label,
            **({} if self.distance is None else {"distance": self.distance, "unknown": self.distance > 1}),
            "pictures": {name: str(path) for name, path in self.pictures.items()},
        }
        document |= {"flat": self.flat} if self.flat else {}
        return document if self.class_map is None else document | {"class_map": self.class_map.json()}


def inspect(
    model: Model,
    session: Session,
    images: Sequence[Path],
    *,
    blobs: Sequence[str] | None = None,
    out: Path | None = None,
    draw: bool = True,
    save_blobs: Path | None = None,
) -> Iterator[Inspection]:
    """Run pictures through the net one by one, and draw the requested blobs.

    Args:
        model: what was loaded.
        session: `model.open()`.
        images: picture files.
        blobs: names of blobs to draw; None is as `wanted` says. conv1 and conv2 show 36 channels at most, conv3 and
            pool3 64, others all. The copies that Split layers make are shown only where they are named.
        out: folder for the pictures, with a sub-folder for each of several images; None is
            that of `Place.picture`.
        draw: whether to draw at once; else `draw_grids` does it later.
        save_blobs: an npz file that gets every blob, float32, several images along the first axis.

    Yields:
        One result for each image, in order. The npz file is written behind the last.

    Raises:
        PictureError, DataError: I01, an image cannot be read.
        UsageError: I02, the net has no such blob.
        NetError: X06, classes and outputs differ.
        OSError: a picture cannot be written.
    """
    kept: list[dict[str, Array]] = []
    rule = novelty.read(model)
    homes = folders(model, images, out) if draw else [Path()] * len(images)
    for image, folder in zip(images, homes, strict=True):
        pixels = model.read(image)
        values = model.forward(session, [pixels], copies=blobs or ())
        scores = model.probabilities(values) if model.classifies(values) else None
        if model.output is not None and scores is None and image is images[0]:
            _log.warning(
                "blob '%s' is %s, not one number for each class: no probabilities are shown",
                model.output,
                "×".join(map(str, values[model.output].shape)),
            )
        drawn = wanted(values, blobs)
        named = {} if scores is None else {model.class_name(k): float(p) for k, p in enumerate(scores[0])}
        yield Inspection(
            image=image,
            snapshot=model.name,
            blobs={name: array.shape for name, array in values.items()},
            probabilities=named,
            calibrated=calibrated(named, model.temperature),
            temperature=model.temperature,
            distance=None if rule is None or scores is None else float(rule.distance(values)[0]),
            label=None if scores is None else model.class_name(int(scores[0].argmax())),
            pictures=_draw(values, drawn, folder, f"{image.name} in {model.name}") if draw else {},
            not_drawn=() if blobs is not None or _usual(values) else tuple(_maps(values)[MAPS:]),
            class_map=class_map(model, values),
            maps={} if draw else {name: values[name] for name in drawn},
            pixels=pixels,
            flat={name: float(one.flat[0]) for name in drawn if (one := values[name]).size > 1 and np.ptp(one) == 0},
        )
        if save_blobs is not None:
            kept.append(values)
    if save_blobs is not None and kept:
        save(save_blobs, {name: np.concatenate([each[name] for each in kept]) for name in kept[0]})


def draw_grids(found: Inspection, folder: Path) -> dict[str, Path]:
    """Draw the blobs of an inspection that was not drawn at once.

    Returns:
        Blob -> the grid that shows it.

    Raises:
        UsageError: a blob has no channels to draw.
        OSError: as the operating system says it.
    """
    return _draw(found.maps, list(found.maps), folder, f"{found.image.name} in {found.snapshot}")


def save(path: Path, blobs: Mapping[str, Array]) -> None:
    """Write blobs as an npz file that `numpy.load` reads; whole or not at all.

    Raises:
        OSError: as the operating system says it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # numpy.savez takes names as keywords, and cannot take a blob named `file`
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, array in blobs.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)


def wanted(values: Mapping[str, Array], asked: Sequence[str] | None) -> list[str]:
    """The blobs to show: those asked for, else conv1, conv2, conv3 and pool3.

    Of a net that has fewer than two of these, the first 12 maps that the picture passes through.

    Raises:
        UsageError: I02, the net has no such blob.
    """
    if asked is None:
        return _usual(values) or _maps(values)[:MAPS]
    for name in asked:
        if name not in values:
            raise UsageError(f"no blob '{name}'", hint=did_you_mean(name, list(values)), fault="I02")
    return list(dict.fromkeys(asked))


def _usual(values: Mapping[str, Array]) -> list[str]:
    names = [name for name in DEFAULTS if name in values]
    return names if len(names) > 1 else []


def _maps(values: Mapping[str, Array]) -> list[str]:
    """Blobs with more than one place, in net order, without the first one, which is the picture itself."""
    return [name for name, array in values.items() if array.ndim == 4 and array[0, 0].size > 1][1:]


def _draw(values: Mapping[str, Array], names: Sequence[str], folder: Path, caption: str) -> dict[str, Path]:
    pictures = {}
    for name in names:
        maps = grid.channels(values[name], DEFAULTS.get(name))
        pictures[name] = folder / f"{name.replace('/', '_')}.png"  # GoogLeNet has blobs like inception_3a/1x1
        of_all = f"{len(maps)} of {len(grid.channels(values[name]))} channels"
        words = f"{name}  {of_all}, {maps.shape[1]} x {maps.shape[2]}  {caption}"
        grid.write(grid.captioned(grid.enlarge(grid.grid(maps)), words, maps), pictures[name])
    return pictures


def folders(model: Model, images: Sequence[Path], out: Path | None) -> list[Path]:
    """Where each image's pictures go; images of one name in different folders do not share theirs."""
    if out is not None and len(images) == 1:
        return [out]
    if out is None:
        return [model.place.picture(image) for image in images]
    taken: dict[str, int] = {}
    chosen = []
    for image in images:
        taken[image.stem] = number = taken.get(image.stem, 0) + 1
        chosen.append(out / (image.stem if number == 1 else f"{image.stem}-{number}"))
    return chosen
