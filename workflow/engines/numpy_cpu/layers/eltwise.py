"""Eltwise."""

from __future__ import annotations

from functools import reduce
from pathlib import Path

import numpy as np

from workflow.engines.base import Array, Shape
from workflow.engines.numpy_cpu.layers.base import Layer, layer
from workflow.formats import caffe_pb2
from workflow.net.spec import LayerSpec

_Operation = caffe_pb2.EltwiseParameter


@layer("Eltwise", bottoms=(2, None), tops=1)
class Eltwise(Layer):
    """The sum (weighted by `coeff`), product or maximum of bottoms of one shape, element by element.

    Source: src/caffe/layers/eltwise_layer.cpp.
    """

    def __init__(self, spec: LayerSpec, folder: Path) -> None:
        super().__init__(spec, folder)
        self.param = self.message.eltwise_param
        if self.param.coeff and self.param.operation == _Operation.PROD:
            raise self.fail("operation PROD takes no coeff")
        if len(self.param.coeff) not in (0, len(spec.bottoms)):
            raise self.fail(f"{len(self.param.coeff)} coeff, expected none or {len(spec.bottoms)}")

    def top_shapes(self, *bottoms: Shape) -> list[Shape]:
        if any(shape != bottoms[0] for shape in bottoms):
            raise self.fail(f"bottoms of shapes {', '.join(map(str, bottoms))}, expected one shape")
        return [bottoms[0]]

    def forward(self, *bottoms: Array) -> Array:
        if self.param.operation == _Operation.PROD:
            return reduce(np.multiply, bottoms)
        if self.param.operation == _Operation.MAX:
            return reduce(np.maximum, bottoms)
        coefficients = np.array(self.param.coeff or [1.0] * len(bottoms), np.float32)
        return reduce(np.add, [c * x for c, x in zip(coefficients, bottoms, strict=True)])
