"""HDF5Output."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from torch import Tensor

from workflow.errors import EnvironmentFault
from workflow.formats import hdf5_arrays
from workflow.layers.base import Layer, Shape, layer
from workflow.net.spec import LayerSpec


@layer("HDF5Output", bottoms=2, tops=0)
class HDF5Output(Layer):
    """Writes two blobs into a file, the first time it runs.

    bottom[0]  (N, ...)  the dataset `data`        bottom[1]  (N, ...)  the dataset `label`

    Both are float32 with four axes; missing axes are 1, at the end. An existing `file_name` is replaced. A second pass
    is refused: in Caffe it ends the program, because the datasets exist. No gradient.
    Source: src/caffe/layers/hdf5_output_layer.cpp.
    """

    def __init__(self, spec: LayerSpec, folder: Path) -> None:
        super().__init__(spec, folder)
        self.file = folder / self.message.hdf5_output_param.file_name
        if not self.message.hdf5_output_param.file_name:
            raise self.fail("file_name is missing")
        self._written = False

    def top_shapes(self, *bottoms: Shape) -> list[Shape]:
        data, label = bottoms
        if max(len(data), len(label)) > 4 or data[:1] != label[:1]:
            raise self.fail(f"bottoms of shapes {data} and {label}, expected as many items, at most 4 axes")
        return []

    def forward(self, data: Tensor, label: Tensor) -> list[Tensor]:
        self.top_shapes(tuple(data.shape), tuple(label.shape))
        if self._written:
            raise self.fail(
                f"{self.file} holds one batch already", hint="run this net once; it stores exactly one batch"
            )
        arrays = {}
        for name, tensor in (("data", data), ("label", label)):
            four = tensor.detach().float().reshape(*tensor.shape, *[1] * (4 - tensor.dim()))
            arrays[name] = np.ascontiguousarray(four.cpu().numpy())
        try:
            hdf5_arrays.write(self.file, arrays)
        except OSError as error:
            raise EnvironmentFault(f"cannot write {self.file}: {error.strerror or error}") from error
        self._written = True
        return []
