"""HDF5Data."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from workflow.data.hdf5_rows import Hdf5Rows
from workflow.layers.base import Layer, Shape, layer
from workflow.net.spec import LayerSpec


@layer("HDF5Data", bottoms=0, tops=(1, None))
class HDF5Data(Layer):
    """Batches of rows of HDF5 files.

    top[i]  (batch_size, ...)  float32, rows of the dataset that is named like the top

    `source` names a text file that lists the HDF5 files. With `shuffle: true` the order is a function of the net's
    seed (in Caffe it is C's own rand()). Source: src/caffe/layers/hdf5_data_layer.cpp.
    """

    def __init__(self, spec: LayerSpec, folder: Path) -> None:
        super().__init__(spec, folder)
        param = self.message.hdf5_data_param
        if self.message.HasField("transform_param"):
            raise self.fail("has a transform_param, which this type does not know", hint="transform the data before")
        if param.batch_size < 1:
            raise self.fail(f"batch_size={param.batch_size}, expected at least 1")
        self.rows = Hdf5Rows(folder / param.source, folder, spec.tops, shuffle=param.shuffle)

    def top_shapes(self, *bottoms: Shape) -> list[Shape]:
        del bottoms
        return [(self.message.hdf5_data_param.batch_size, *shape) for shape in self.rows.shapes]

    def forward(self) -> list[Tensor]:
        batch = self.message.hdf5_data_param.batch_size
        return [torch.from_numpy(array) for array in self.rows.read(self.position, batch, seed=self.seed)]
