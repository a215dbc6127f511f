"""WindowData."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workflow.data.image_list import read_picture
from workflow.data.windows import Window, WindowFile, cut
from workflow.formats.binaryproto import read_mean
from workflow.layers.base import Layer, Shape, layer
from workflow.net.spec import LayerSpec

Array = NDArray[np.float32]
_CACHED = 128  # pictures


@layer("WindowData", bottoms=0, tops=2)
class WindowData(Layer):
    """Windows of pictures for training R-CNN: some of the background, some of the foreground.

    top[0]  data   (batch_size, 3, crop_size, crop_size)  BGR, less the mean, times `window_data_param.scale`
    top[1]  label  (batch_size,)  0 for the background, which comes first

    int(batch_size fg_fraction) windows of a batch overlap an object by `fg_threshold` or more, the others by less
    than `bg_threshold`. `crop_mode: "square"` keeps forms, "warp" does not; `context_pad` shows so many pixels around.
    What lies outside the picture is 0 in the end. crop_size, mirror and the mean are in `transform_param`; a mean
    picture is taken from its middle. The draw is a function of the net's seed and of the pass.
    `cache_images` keeps pictures decoded in memory (here some always are).
    Source: src/caffe/layers/window_data_layer.cpp.
    """

    def __init__(self, spec: LayerSpec, folder: Path) -> None:
        super().__init__(spec, folder)
        self.param, transform = self.message.window_data_param, self.message.transform_param
        self.crop = transform.crop_size
        if self.crop < 1 or self.param.batch_size < 1:
            sizes = f"transform_param.crop_size={self.crop}, batch_size={self.param.batch_size}"
            raise self.fail(f"{sizes}, expected at least 1")
        if 2 * self.param.context_pad >= self.crop:
            raise self.fail(f"context_pad={self.param.context_pad} leaves nothing of crop_size={self.crop}")
        if self.param.crop_mode not in ("warp", "square"):
            raise self.fail(f"crop_mode '{self.param.crop_mode}', expected 'warp' or 'square'")
        if not 0 <= self.param.fg_fraction <= 1:
            raise self.fail(f"fg_fraction={self.param.fg_fraction:g}, expected 0 to 1")
        self.file = WindowFile.read(folder / self.param.source)
        self.front, self.back = self.file.split(self.param.fg_threshold, self.param.bg_threshold)
        self.front_count = int(np.float32(self.param.batch_size) * np.float32(self.param.fg_fraction))
        for count, windows, what in (
            (self.front_count, self.front, f"foreground (overlap of {self.param.fg_threshold:g} or more)"),
            (self.param.batch_size - self.front_count, self.back, f"background (below {self.param.bg_threshold:g})"),
        ):
            if count and not windows:
                raise self.fail(f"{self.param.source} has no window of the {what}")
        self.mean = self._mean()
        cached = None if self.param.cache_images else _CACHED
        self._pixels = lru_cache(maxsize=cached)(self._read)

    def _mean(self) -> Array:
        """What to subtract: (3, crop, crop) or (3, 1, 1)."""
        transform, channels = self.message.transform_param, self.file.channels
        if transform.mean_file and transform.mean_value:
            raise self.fail("mean_file and mean_value cannot be used together", fault="M04")
        if not transform.mean_file:
            values = list(transform.mean_value) or [0.0]
            if len(values) not in (1, channels):
                raise self.fail(f"{len(values)} mean_value, expected 1 or {channels}")
            return np.resize(np.array(values, np.float32), (channels, 1, 1))
        mean = read_mean(self.folder / transform.mean_file)
        start = (mean.shape[2] - self.crop) // 2  # Caffe takes the width's for the rows, too
        if mean.shape[0] != channels or start < 0 or mean.shape[1] < start + self.crop:
            raise self.fail(
                f"the mean's shape is {mean.shape}, expected at least ({channels}, {self.crop}, {self.crop})",
                fault="M02",
            )
        return mean[:, start : start + self.crop, start : start + self.crop]

    def _read(self, picture: int) -> NDArray[np.uint8]:
        path = self.folder / f"{self.param.root_folder}{self.file.pictures[picture]}"
        return np.ascontiguousarray(read_picture(path, color=True, listed=self.param.source).transpose(1, 2, 0))

    def top_shapes(self, *bottoms: Shape) -> list[Shape]:
        del bottoms
        batch = self.param.batch_size
        return [(batch, self.file.channels, self.crop, self.crop), (batch,)]

    def forward(self) -> list[Tensor]:
        rng = np.random.default_rng([self.seed, self.position])
        batch = self.param.batch_size
        counts = ((self.back, batch - self.front_count), (self.front, self.front_count))
        windows = [source[i] for source, count in counts if count for i in rng.integers(len(source), size=count)]
        mirrors = rng.integers(2, size=batch) if self.message.transform_param.mirror else np.zeros(batch, int)
        data = np.stack([self._cut(one, bool(flip)) for one, flip in zip(windows, mirrors, strict=True)])
        labels = np.array([window.label for window in windows], np.float32)
        return [torch.from_numpy(data), torch.from_numpy(labels)]

    def _cut(self, window: Window, mirror: bool) -> Array:
        pixels = self._pixels(window.picture)
        if pixels.shape[2] != self.file.channels:
            raise self.fail(f"{self.file.pictures[window.picture]} has 3 channels, its list says {self.file.channels}")
        try:
            patch, above, left = cut(
                pixels,
                window.box,
                crop=self.crop,
                context=self.param.context_pad,
                square=self.param.crop_mode == "square",
                mirror=mirror,
            )
        except ValueError as error:
            raise self.fail(f"{self.file.pictures[window.picture]}: {error}") from error
        rows, columns = slice(above, above + patch.shape[0]), slice(left, left + patch.shape[1])
        mean = np.broadcast_to(self.mean, (self.mean.shape[0], self.crop, self.crop))[:, rows, columns]
        out = np.zeros((patch.shape[2], self.crop, self.crop), np.float32)
        out[:, rows, columns] = (patch.transpose(2, 0, 1) - mean) * np.float32(self.param.scale)
        return out
