"""ImageData."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from workflow.data.image_list import ImageList
from workflow.data.transform import Transform
from workflow.formats.binaryproto import read_mean
from workflow.layers.base import Layer, Shape, layer
from workflow.net.spec import LayerSpec


@layer("ImageData", bottoms=0, tops=2)
class ImageData(Layer):
    """Batches of picture files that a list names, with their labels.

    top[0]  data   (batch_size, 3, H, W)  BGR, or (batch_size, 1, H, W) with `is_color: false`; by `transform_param`
    top[1]  label  (batch_size,)

    `source`: lines "path label"; `root_folder` is put before each path as it is. `new_height` and `new_width` resize
    (two taps, without antialiasing); without them and without crop_size the pictures of a batch must be of one size.
    `shuffle` and `rand_skip` are functions of the net's seed. Source: src/caffe/layers/image_data_layer.cpp.
    """

    def __init__(self, spec: LayerSpec, folder: Path) -> None:
        super().__init__(spec, folder)
        param = self.param = self.message.image_data_param
        if param.batch_size < 1:
            raise self.fail("batch_size=0, expected at least 1")
        if bool(param.new_height) != bool(param.new_width):
            raise self.fail(f"new_height={param.new_height}, new_width={param.new_width}, expected both or none")
        self.list = ImageList(
            folder / param.source,
            folder,
            color=param.is_color,
            size=(param.new_height, param.new_width) if param.new_height else None,
            prefix=param.root_folder,
        )
        mean = self.message.transform_param.mean_file
        self.transform = Transform.of(
            self.message.transform_param, mean=read_mean(folder / mean) if mean else None, layer=spec.name
        )

    def top_shapes(self, *bottoms: Shape) -> list[Shape]:
        del bottoms
        first = self.list.pixels(self._indices(0)[0])
        shape = self.transform.shape((first.shape[0], first.shape[1], first.shape[2]))
        return [(self.param.batch_size, *shape), (self.param.batch_size,)]

    def _indices(self, position: int) -> list[int]:
        numbers = range(position * self.param.batch_size, (position + 1) * self.param.batch_size)
        shuffle, skip = self.param.shuffle, self.param.rand_skip
        return [self.list.index(number, seed=self.seed, shuffle=shuffle, rand_skip=skip) for number in numbers]

    def forward(self) -> list[Tensor]:
        indices = self._indices(self.position)
        rng = np.random.default_rng([self.seed, self.position])
        data = self.list.batch(indices, self.transform, phase=self.spec.phase, rng=rng)
        labels = np.array([self.list.lines[index][1] for index in indices], np.float32)
        return [torch.from_numpy(data), torch.from_numpy(labels)]
