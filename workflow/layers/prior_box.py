"""PriorBox, of the SSD fork."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workflow.layers.base import Layer, Shape, layer
from workflow.net.spec import LayerSpec

Array = NDArray[np.float32]
_SAME = 1e-6


@layer("PriorBox", bottoms=2, tops=1)
class PriorBox(Layer):
    """Boxes of given sizes and forms around every place of a feature map (SSD, Liu and others 2016, section 2.2).

    bottom[0]  features  (N, C, h, w)        bottom[1]  pictures  (N, C, H, W)
    top[0]     boxes     (1, 2, 4 h w P)     xmin, ymin, xmax, ymax as parts of the picture; then their variances

    P boxes a place, for each `min_size` (cut to a whole number, as the fork does): a square of that side; one of
    side sqrt(min_size max_size) where `max_size` is given; then min_size sqrt(r) by min_size / sqrt(r) for each
    `aspect_ratio` r, and 1 / r with `flip` (the default). Boxes stand `step` apart (H / h and W / w if not said),
    the first one's centre `offset` steps from the corner. `clip` keeps them in 0..1. No gradient.
    Source: prior_box_layer.cpp of W. Liu's SSD fork.
    """

    def __init__(self, spec: LayerSpec, folder: Path) -> None:
        super().__init__(spec, folder)
        param = self.param = self.message.prior_box_param
        if not param.min_size or min(param.min_size) <= 0:
            raise self.fail("expected a min_size, above 0")
        if param.max_size and len(param.max_size) != len(param.min_size):
            raise self.fail(f"{len(param.max_size)} max_size, expected one for each of {len(param.min_size)} min_size")
        if any(most <= least for least, most in zip(param.min_size, param.max_size, strict=False)):
            raise self.fail(f"max_size {list(param.max_size)}, expected more than min_size {list(param.min_size)}")
        if len(param.variance) not in (0, 1, 4) or any(variance <= 0 for variance in param.variance):
            raise self.fail(f"variance {list(param.variance)}, expected none, one or four, above 0")
        self.ratios = self._ratios()
        self.picture = self._pair("img_size", "img_h", "img_w")
        self.step = self._pair("step", "step_h", "step_w")

    def _ratios(self) -> list[float]:
        """The aspect ratios of the boxes that are not squares."""
        ratios = [1.0]
        for ratio in self.param.aspect_ratio:
            if ratio <= 0:
                raise self.fail(f"aspect_ratio={ratio:g}, expected more than 0")
            if all(abs(ratio - known) >= _SAME for known in ratios):
                ratios += [ratio, 1 / ratio] if self.param.flip else [ratio]
        return [ratio for ratio in ratios if abs(ratio - 1) >= _SAME]

    def _pair(self, both: str, h: str, w: str) -> tuple[float, float] | None:
        """The setting for both sides, or for each side; None if not set."""
        param = self.param
        given = [name for name in (both, h, w) if param.HasField(name)]
        if not given:
            return None
        if given not in ([both], [h, w]):
            raise self.fail(f"{' and '.join(given)}, expected either {both} or both {h} and {w}")
        values = [float(getattr(param, name)) for name in given]
        if min(values) <= 0:
            raise self.fail(f"{given[0]}={values[0]:g}, expected more than 0")
        return values[0], values[-1]

    @property
    def boxes(self) -> list[tuple[float, float]]:
        """(width, height) in pixels of the P boxes of a place."""
        found: list[tuple[float, float]] = []
        for index, least in enumerate(map(int, self.param.min_size)):
            found.append((least, least))
            if self.param.max_size:
                side = math.sqrt(least * int(self.param.max_size[index]))
                found.append((side, side))
            found += [(least * math.sqrt(ratio), least / math.sqrt(ratio)) for ratio in self.ratios]
        return found

    def top_shapes(self, *bottoms: Shape) -> list[Shape]:
        if any(len(bottom) != 4 for bottom in bottoms):
            raise self.fail(f"bottoms of shapes {bottoms[0]} and {bottoms[1]}, expected (N, C, H, W) twice")
        return [(1, 2, 4 * bottoms[0][2] * bottoms[0][3] * len(self.boxes))]

    def forward(self, features: Tensor, pictures: Tensor) -> Tensor:
        (shape,) = self.top_shapes(tuple(features.shape), tuple(pictures.shape))
        boxes = self._boxes(tuple(features.shape[2:]), self.picture or tuple(map(float, pictures.shape[2:])))  # type: ignore[arg-type]  # two sides
        variances = list(self.param.variance) or [0.1]
        spread = np.resize(np.array(variances, np.float32), boxes.size)
        return torch.from_numpy(np.stack([boxes.reshape(-1), spread])).reshape(shape)

    def _boxes(self, places: tuple[int, int], picture: tuple[float, float]) -> Array:
        """(h, w, P, 4)."""
        (h, w), (height, width) = places, picture
        step_h, step_w = self.step or (height / h, width / w)
        offset = self.param.offset
        y = ((np.arange(h) + offset) * step_h)[:, None, None]  # centres, in pixels
        x = ((np.arange(w) + offset) * step_w)[None, :, None]
        wide, high = np.array(self.boxes).T
        edges = [(x - wide / 2) / width, (y - high / 2) / height, (x + wide / 2) / width, (y + high / 2) / height]
        boxes = np.stack(np.broadcast_arrays(*edges), axis=-1).astype(np.float32)
        return boxes.clip(0, 1) if self.param.clip else boxes
