"""Data: pictures and labels from an LMDB."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from workflow.data.batches import Batches
from workflow.data.transform import Transform
from workflow.formats import caffe_pb2
from workflow.formats.binaryproto import read_mean
from workflow.formats.lmdb import Reader
from workflow.layers.base import Layer, Shape, layer
from workflow.net.spec import LayerSpec


@layer("Data", bottoms=0, tops=(1, 2))
class Data(Layer):
    """Batches of an LMDB in the order of its keys, wrapping in mid-batch, mean subtracted, cropped and mirrored.

    top[0]  data   (batch_size, C, H, W)  float32, in the stored channel order
    top[1]  label  (batch_size,)          float32

    Batch number `position` is a function of the net's seed and of `position` alone, so a resumed run reads on where
    the unbroken one would have. (Caffe's own begins again at the first record after a restart.)
    Source: src/caffe/layers/data_layer.cpp, src/caffe/data_transformer.cpp. LevelDB, which Caffe reads too, is not.
    """

    takes_part = True

    def __init__(self, spec: LayerSpec, folder: Path) -> None:
        super().__init__(spec, folder)
        param = self.message.data_param
        if param.backend != caffe_pb2.DataParameter.LMDB:
            raise self.fail("backend is LEVELDB (Caffe's default), expected `backend: LMDB`")
        if param.batch_size < 1:
            raise self.fail(f"batch_size={param.batch_size}, expected at least 1")
        self.reader = Reader(folder / param.source)
        mean = self.message.transform_param.mean_file
        transform = Transform.of(
            self.message.transform_param, mean=read_mean(folder / mean) if mean else None, layer=spec.name
        )
        self.batches = Batches(self.reader, param.batch_size, transform, phase=spec.phase)

    def close(self) -> None:
        self.reader.close()

    def top_shapes(self, *bottoms: Shape) -> list[Shape]:
        del bottoms
        batch = self.message.data_param.batch_size
        return [(batch, *self.batches.shape), (batch,)][: len(self.spec.tops)]

    def forward(self) -> list[Tensor]:
        data, labels = self.batches.read(self.position, seed=self.seed, rows=self.part)
        return [torch.from_numpy(data), torch.from_numpy(labels)][: len(self.spec.tops)]


def tell_classes(layers: Sequence[Layer], shapes: Mapping[str, Shape]) -> None:
    """Let Data layers check the labels that a SoftmaxWithLoss reads, where their records can be named.

    Args:
        layers: of a net, in order.
        shapes: of its blobs.
    """
    sources: dict[str, Data] = {}
    for one in layers:
        bottoms, tops = one.spec.bottoms, one.spec.tops
        if isinstance(one, Data):
            sources.update(dict.fromkeys(tops[1:], one))
        elif one.spec.type == "Split" and bottoms[0] in sources:
            sources.update(dict.fromkeys(tops, sources[bottoms[0]]))
        elif one.spec.type == "SoftmaxWithLoss" and bottoms[1] in sources:
            count = shapes[bottoms[0]][one.message.softmax_param.axis]
            ignores = one.message.loss_param.HasField("ignore_label")  # which may be any number
            sources[bottoms[1]].batches.classes = None if ignores else count
