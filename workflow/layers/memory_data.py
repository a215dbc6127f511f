"""MemoryData."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workflow.layers.base import Layer, Shape, layer
from workflow.net.spec import LayerSpec

Array = NDArray[np.float32]


@layer("MemoryData", bottoms=0, tops=2)
class MemoryData(Layer):
    """Batches of arrays that a script provides (pycaffe's `Net.set_input_arrays`), repeated from the start.

    top[0]  data   (batch_size, channels, height, width)        top[1]  label  (batch_size, 1, 1, 1) once it has run

    `transform_param` is not applied to arrays, in Caffe neither.
    Source: src/caffe/layers/memory_data_layer.cpp.
    """

    def __init__(self, spec: LayerSpec, folder: Path) -> None:
        super().__init__(spec, folder)
        param = self.message.memory_data_param
        self.shape = (param.channels, param.height, param.width)
        self.batch = param.batch_size
        if min(self.batch, *self.shape) < 1:
            sizes = f"batch_size={self.batch}, channels, height and width {self.shape}"
            raise self.fail(f"{sizes}, expected all of them, at least 1")
        self._arrays: tuple[Array, Array] | None = None
        self._next = 0

    def set_arrays(self, data: Array, labels: Array) -> None:
        """Set the arrays that are used from now on, from the first item.

        Args:
            data: (N, channels, height, width), float32; N a multiple of batch_size. It is not copied.
            labels: (N,) numbers, of any shape.

        Raises:
            NetError: the shapes do not fit.
        """
        if data.shape[1:] != self.shape or not len(data) or len(data) % self.batch:
            wanted = f"(a multiple of {self.batch}, {', '.join(map(str, self.shape))})"
            raise self.fail(f"data of shape {data.shape}, expected {wanted}")
        if labels.size != len(data):
            raise self.fail(f"{labels.size} labels for {len(data)} items, expected as many")
        if self.message.HasField("transform_param"):
            logging.getLogger("workflow").warning(
                "layer '%s' (MemoryData): transform_param is not applied to arrays", self.spec.name
            )
        self._arrays, self._next = (data, labels.reshape(-1)), 0

    def top_shapes(self, *bottoms: Shape) -> list[Shape]:
        del bottoms
        return [(self.batch, *self.shape), (self.batch,)]

    def forward(self) -> list[Tensor]:
        if self._arrays is None:
            raise self.fail("has no arrays yet", hint="call Net.set_input_arrays(data, labels) first")
        place = slice(self._next, self._next + self.batch)
        data, labels = (torch.tensor(array[place], dtype=torch.float32) for array in self._arrays)
        self._next = (self._next + self.batch) % len(self._arrays[0])
        return [data, labels.reshape(self.batch, 1, 1, 1)]
