"""A model as it travels to another process: settings that are JSON, and the files of its net, weights and mean."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
from msgspec import Struct

from workflow.config import Preprocessing
from workflow.data.transform import Transform
from workflow.formats import caffe_pb2
from workflow.models.model import Model


class PackedModel(Struct, frozen=True, kw_only=True):
    """Everything that a pass needs of a model; see `Model` for what the fields say."""

    folder: str
    """Holds `net`, `weights` and, if there is one, `mean.npy`."""
    name: str
    source: str
    classes: tuple[str, ...] | None
    preprocessing: Preprocessing
    scale: float
    crop: int
    mirror: bool
    force: Literal["color", "gray"] | None
    input: str
    output: str | None
    max_pixels: int
    project: str

    def unpacked(self) -> Model:
        """The model; it belongs to no generation."""
        folder = Path(self.folder)
        net, weights, mean = caffe_pb2.NetParameter(), caffe_pb2.NetParameter(), folder / "mean.npy"
        net.ParseFromString((folder / "net").read_bytes())
        weights.ParseFromString((folder / "weights").read_bytes())
        return Model(
            name=self.name,
            net=net,
            source=Path(self.source),
            weights=weights,
            classes=self.classes,
            preprocessing=self.preprocessing,
            transform=Transform(
                scale=self.scale,
                mean=np.load(mean, allow_pickle=False) if mean.exists() else None,
                crop=self.crop,
                mirror=self.mirror,
                force=self.force,
            ),
            input=self.input,
            output=self.output,
            max_pixels=self.max_pixels,
            project=Path(self.project),
        )


def packed(model: Model, folder: Path) -> PackedModel:
    """Write a model's files into a folder.

    Raises:
        OSError: as the operating system says it.
    """
    (folder / "net").write_bytes(model.net.SerializeToString())
    (folder / "weights").write_bytes(model.weights.SerializeToString())
    transform = model.transform
    if transform.mean is not None:
        np.save(folder / "mean.npy", transform.mean, allow_pickle=False)
    return PackedModel(
        folder=str(folder),
        name=model.name,
        source=str(model.source),
        classes=model.classes,
        preprocessing=model.preprocessing,
        scale=transform.scale,
        crop=transform.crop,
        mirror=transform.mirror,
        force=transform.force,
        input=model.input,
        output=model.output,
        max_pixels=model.max_pixels,
        project=str(model.project),
    )
