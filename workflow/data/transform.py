"""From stored pixels to a net's input: mean, crop, mirror, scale, as Caffe's Data layers do it.

Source: src/caffe/data_transformer.cpp, DataTransformer::Transform.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workflow.errors import NetError
from workflow.formats import caffe_pb2

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

    @classmethod
    def of(cls, param: caffe_pb2.TransformationParameter, *, mean: Array | None = None, layer: str = "") -> Transform:
        """Parse the settings; `mean` is what `mean_file` holds, (C, H, W).

        Raises:
            NetError: M04, a mean file and mean values at once.
        """
        if mean is not None and param.mean_value:
            raise NetError(f"layer '{layer}': mean_file and mean_value exclude each other", fault="M04")
        if param.mean_value:
            mean = np.array(param.mean_value, np.float32)[:, None, None]
        return cls(scale=param.scale, mean=mean, crop=param.crop_size, mirror=param.mirror)

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
                    f"mean is {_by(self.mean.shape)} but images are {_by(stored)}",
                    hint="use the mean of this very data set: wf prepare writes it",
                    fault="M02",
                )
        if self.crop > min(height, width):
            raise NetError(f"crop_size={self.crop}, but images are {_by(stored)}", fault="M02")
        return (channels, self.crop or height, self.crop or width)

    def apply(self, batch: NDArray[np.generic], *, phase: str, rng: np.random.Generator | None = None) -> Array:
        """Transform pictures.

        Args:
            batch: (N, C, H, W), uint8 or float32, as stored.
            phase: `TRAIN` or `TEST`.
            rng: where places and mirrors are drawn from; needed if the transform is random in that phase.

        Returns:
            float32 (N, C, h, w), C-contiguous.
        """
        self.shape((batch.shape[1], batch.shape[2], batch.shape[3]))
        if self.mean is None:
            whole = batch.astype(np.float32)
        else:
            whole = np.subtract(batch, self.mean, dtype=np.float32)
        if self.scale != 1.0:
            whole *= np.float32(self.scale)
        if not self.crop and not self.mirror:
            return whole
        return self._cut(whole, phase, rng)

    def is_random(self, phase: str) -> bool:
        """Whether `apply` draws in that phase."""
        return self.mirror or (bool(self.crop) and phase == "TRAIN")

    def _cut(self, whole: Array, phase: str, rng: np.random.Generator | None) -> Array:
        count, channels, height, width = whole.shape
        size = (self.crop or height, self.crop or width)
        tops, lefts = np.full(count, (height - size[0]) // 2), np.full(count, (width - size[1]) // 2)
        flips = np.zeros(count, bool)
        if self.is_random(phase):
            if rng is None:
                raise ValueError(f"a transform with crop or mirror needs a generator in phase {phase}")
            if self.crop and phase == "TRAIN":
                tops = rng.integers(0, height - size[0] + 1, count)
                lefts = rng.integers(0, width - size[1] + 1, count)
            if self.mirror:
                flips = rng.integers(0, 2, count).astype(bool)
        out = np.empty((count, channels, *size), np.float32)
        for index in range(count):
            window = whole[index, :, tops[index] : tops[index] + size[0], lefts[index] : lefts[index] + size[1]]
            out[index] = window[:, :, ::-1] if flips[index] else window
        return out


def _by(shape: tuple[int, ...]) -> str:
    return "×".join(str(size) for size in shape)
