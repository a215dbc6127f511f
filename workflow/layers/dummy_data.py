"""DummyData."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor

from workflow.errors import NetError
from workflow.formats import caffe_pb2
from workflow.layers.base import Layer, Shape, layer
from workflow.layers.fillers import fill
from workflow.layers.randomness import generator
from workflow.net.spec import LayerSpec

T = TypeVar("T")


@layer("DummyData", bottoms=0, tops=(1, None))
class DummyData(Layer):
    """Blobs of constants or random numbers.

    top[i]  of `shape`, or of num, channels, height and width; one for all tops or one for each. Filled by
    `data_filler`: none for zeros, one for all tops or one for each. Random fillers draw new values in every pass, as a
    function of the net's seed and of the pass. Source: src/caffe/layers/dummy_data_layer.cpp.
    """

    def __init__(self, spec: LayerSpec, folder: Path) -> None:
        super().__init__(spec, folder)
        param = self.message.dummy_data_param
        fillers = list(param.data_filler) or [caffe_pb2.FillerParameter()]
        self.fillers = self._for_each(fillers, "data_filler")
        legacy = {name: list(getattr(param, name)) for name in ("num", "channels", "height", "width")}
        if not any(legacy.values()):
            shapes = [tuple(int(size) for size in shape.dim) for shape in param.shape]
            self.shapes: list[Shape] = self._for_each(shapes, "shape")
            return
        if param.shape:
            raise self.fail("both shape and num, channels, height, width; expected one of the two")
        columns = [self._for_each(sizes, name) for name, sizes in legacy.items()]
        self.shapes = [(n, c, h, w) for n, c, h, w in zip(*columns, strict=True)]

    @property
    def constant(self) -> list[bool]:
        """For each top whether every pass fills it with the same numbers."""
        return [filler.type == "constant" for filler in self.fillers]

    def _for_each(self, given: list[T], what: str) -> list[T]:
        """One for every top."""
        tops = len(self.spec.tops)
        if len(given) not in (1, tops):
            raise self.fail(f"{len(given)} {what}, expected 1 or {tops}")
        return given * tops if len(given) == 1 else given

    def top_shapes(self, *bottoms: Shape) -> list[Shape]:
        del bottoms
        return list(self.shapes)

    def forward(self) -> list[Tensor]:
        tops = [torch.empty(shape) for shape in self.shapes]
        for index, (top, filler) in enumerate(zip(tops, self.fillers, strict=True)):
            try:
                fill(top, filler, generator(self, index))
            except NetError as error:
                raise self.fail(error.message, hint=error.hint) from None
        return tops
