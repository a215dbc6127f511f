"""Stored pixels -> the net's input: mean, crop, mirror, scale, as in Caffe's Data layers.

Source: src/caffe/data_transformer.cpp, DataTransformer::Transform.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from workflow.data.rows import Rows
from workflow.errors import NetError
from workflow.formats import caffe_pb2
from workflow.words import by

Array = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, eq=False)
class Transform:
    """What `transform_param { }` says.

    out = (pixel - mean) scale, over a window of crop x crop pixels: at a random place in TRAIN phase, in the middle
    in TEST phase; mirrored left to right in half of the cases, in both phases. A mean picture is cut at the place
    of the window, before mirroring.
    """

    scale: float = 1.0
    mean: Array | None = None
    """(C, H, W) as stored, or (C, 1, 1)."""
    crop: int = 0
    mirror: bool = False
    force: Literal["color", "gray"] | None = None
    """Make 3 or 1 channels of encoded records; raw ones stay as they are."""

    @classmethod
    def of(cls, param: caffe_pb2.TransformationParameter, *, mean: Array | None = None, layer: str = "") -> Transform:
        """Parse the settings; `mean` is what `mean_file` holds, (C, H, W).

        Raises:
            NetError: M04, a mean file and mean values at once; force_color and force_gray at once.
        """
        if param.force_color and param.force_gray:
            raise NetError(f"layer '{layer}': force_color and force_gray cannot be used together")
        if mean is not None and param.mean_value:
            raise NetError(f"layer '{layer}': mean_file and mean_value cannot be used together", fault="M04")
        if param.mean_value:
            mean = np.array(param.mean_value, np.float32)[:, None, None]
        force: Literal["color", "gray"] | None = "color" if param.force_color else "gray" if param.force_gray else None
        return cls(scale=param.scale, mean=mean, crop=param.crop_size, mirror=param.mirror, force=force)

    def shape(self, stored: tuple[int, int, int]) -> tuple[int, int, int]:
        """(C, h, w) of what comes out for stored pictures of (C, H, W).

        Raises:
            NetError: M02, the mean or the crop does not fit.
        """
        channels, height, width = stored
        if self.mean is not None and self.mean.shape != stored:
            per_channel = self.mean.shape[1:] == (1, 1) and self.mean.shape[0] in (1, channels)
            if not per_channel:
                raise NetError(
                    f"mean is {by(self.mean.shape)} but images are {by(stored)}",
                    hint="use the mean of this data set: wf prepare writes it",
                    fault="M02",
                )
        if self.crop > min(height, width):
            raise NetError(f"crop_size={self.crop}, but images are {by(stored)}", fault="M02")
        return (channels, self.crop or height, self.crop or width)

    def apply(
        self,
        batch: NDArray[np.generic],
        *,
        phase: str,
        rng: np.random.Generator | None = None,
        rows: Rows | None = None,
    ) -> Array:
        """Transform pictures.

        Args:
            batch: (N, C, H, W), uint8 or float32, as stored.
            phase: `TRAIN` or `TEST`.
            rng: draws the crops and mirrors; needed if the transform is random in that phase.
            rows: which rows of a larger batch these are; what is random is drawn for all of that.

        Returns:
            float32 (N, C, h, w), C-contiguous.
        """
        shape = self.shape((batch.shape[1], batch.shape[2], batch.shape[3]))
        out = np.empty((len(batch), *shape), np.float32)
        if self.crop or self.mirror:
            self._cut(batch, out, phase, rng, rows)
        else:
            _subtract(batch, self.mean, out)
        if self.scale != 1.0:
            out *= np.float32(self.scale)
        return out

    def is_random(self, phase: str) -> bool:
        """Whether `apply` draws random numbers in that phase."""
        return self.mirror or (bool(self.crop) and phase == "TRAIN")

    def _cut(
        self,
        batch: NDArray[np.generic],
        out: Array,
        phase: str,
        rng: np.random.Generator | None,
        rows: Rows | None,
    ) -> None:
        """Fill `out` (N, C, h, w) with windows of `batch`, less the same windows of the mean picture."""
        count, (height, width), (h, w) = len(batch), batch.shape[2:], out.shape[2:]
        tops, lefts, flips = [(height - h) // 2] * count, [(width - w) // 2] * count, [0] * count
        if self.is_random(phase):
            if rng is None:
                raise ValueError(f"a transform with crop or mirror needs a generator in phase {phase}")
            whole, own = (count, slice(None)) if rows is None else (rows.grown(count), rows.own)
            if self.crop and phase == "TRAIN":
                tops = rng.integers(0, height - h + 1, whole)[own].tolist()
                lefts = rng.integers(0, width - w + 1, whole)[own].tolist()
            if self.mirror:
                flips = rng.integers(0, 2, whole)[own].tolist()
        per_pixel = self.mean is not None and self.mean.shape[1:] == (height, width)
        for index, (top, left, flip) in enumerate(zip(tops, lefts, flips, strict=True)):
            place = (slice(None), slice(top, top + h), slice(left, left + w))
            mean = self.mean[place] if self.mean is not None and per_pixel else self.mean
            target = out[index, :, :, ::-1] if flip else out[index]
            _subtract(batch[index][place], mean, target)


def _subtract(pixels: NDArray[np.generic], mean: Array | None, out: Array) -> None:
    if mean is None:
        out[...] = pixels
    else:
        np.subtract(pixels, mean, out=out)
