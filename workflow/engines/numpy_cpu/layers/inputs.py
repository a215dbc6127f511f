"""Input and Data: where a net's numbers come from."""

from __future__ import annotations

from pathlib import Path

from workflow.engines.base import Array, Shape
from workflow.engines.numpy_cpu.layers.base import Layer, layer
from workflow.formats import caffe_pb2
from workflow.net.spec import LayerSpec


@layer("Input", bottoms=0, tops=(1, None))
class Input(Layer):
    """Blobs that the caller fills.

    Source: src/caffe/layers/input_layer.cpp.
    """

    def top_shapes(self, *bottoms: Shape) -> list[Shape]:
        del bottoms
        shapes = [tuple(shape.dim) for shape in self.message.input_param.shape] or [()]
        tops = len(self.spec.tops)
        if len(shapes) not in (1, tops):
            raise self.fail(f"{len(shapes)} shapes, expected none, 1 or {tops}")
        return shapes * tops if len(shapes) == 1 else shapes


@layer("Data", bottoms=0, tops=(1, 2))
class Data(Layer):
    """Batches of an LMDB in the order of its keys, wrapping in mid-batch, mean subtracted and cropped.

    top[0]  data   (batch_size, C, H, W)  float32, in the stored channel order
    top[1]  label  (batch_size,)          float32

    Paths are relative to the project folder, where Caffe runs.
    Source: src/caffe/layers/data_layer.cpp, src/caffe/data_transformer.cpp.
    """

    def __init__(self, spec: LayerSpec, folder: Path) -> None:
        super().__init__(spec, folder)
        # reading an LMDB is not what the usual deploy net needs
        from workflow.data.batches import Batches
        from workflow.data.transform import Transform
        from workflow.formats.binaryproto import read_mean
        from workflow.formats.lmdb import Reader

        param, transform = self.message.data_param, self.message.transform_param
        if param.backend != caffe_pb2.DataParameter.LMDB:
            raise self.fail("backend is LEVELDB (Caffe's default), expected `backend: LMDB`")
        if param.batch_size < 1:
            raise self.fail(f"batch_size={param.batch_size}, expected at least 1")
        mean = read_mean(folder / transform.mean_file) if transform.mean_file else None
        self.reader = Reader(folder / param.source)
        self.batches = Batches(
            self.reader, param.batch_size, Transform.of(transform, mean=mean, layer=spec.name), phase=spec.phase
        )
        self.position = 0

    def close(self) -> None:
        self.reader.close()

    def top_shapes(self, *bottoms: Shape) -> list[Shape]:
        del bottoms
        batch = self.message.data_param.batch_size
        return [(batch, *self.batches.shape), (batch,)][: len(self.spec.tops)]

    def forward(self) -> list[Array]:
        data, labels = self.batches.read(self.position)
        self.position += 1
        return [data, labels][: len(self.spec.tops)]
