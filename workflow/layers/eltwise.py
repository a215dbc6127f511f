"""Eltwise."""

from __future__ import annotations

import functools
from pathlib import Path

import torch
from torch import Tensor

from workflow.formats import caffe_pb2
from workflow.layers.base import Layer, Shape, layer
from workflow.layers.in_place import warn_in_place
from workflow.net.spec import LayerSpec

_Eltwise = caffe_pb2.EltwiseParameter


@layer("Eltwise", bottoms=(2, None), tops=1)
class Eltwise(Layer):
    """Element by element over bottoms of one shape: SUM with coefficients, PROD, or MAX, which does not use them.

    MAX: the gradient goes to the winner alone; a tie between the first two goes to the second, later ones must be
    greater to win. Source: src/caffe/layers/eltwise_layer.cpp.
    """

    def __init__(self, spec: LayerSpec, folder: Path) -> None:
        super().__init__(spec, folder)
        self.operation = self.message.eltwise_param.operation
        coefficients = list(self.message.eltwise_param.coeff)
        if coefficients and self.operation == _Eltwise.PROD:
            raise self.fail("operation PROD takes no coeff")
        if coefficients and len(coefficients) != len(spec.bottoms):
            raise self.fail(f"{len(coefficients)} coeff, expected one for each of {len(spec.bottoms)} bottoms")
        warn_in_place(self)
        self.coefficients = coefficients or [1.0] * len(spec.bottoms)

    def top_shapes(self, *bottoms: Shape) -> list[Shape]:
        if any(shape != bottoms[0] for shape in bottoms):
            raise self.fail(f"bottoms of shapes {', '.join(map(str, bottoms))}, expected equal ones")
        return [bottoms[0]]

    def forward(self, *bottoms: Tensor) -> Tensor:
        self.top_shapes(*(tuple(x.shape) for x in bottoms))
        if self.operation == _Eltwise.PROD:
            return functools.reduce(torch.mul, bottoms)
        if self.operation == _Eltwise.MAX:
            first = torch.where(bottoms[0] > bottoms[1], bottoms[0], bottoms[1])
            return functools.reduce(lambda best, x: torch.where(x > best, x, best), bottoms[2:], first)
        terms = [x if c == 1.0 else x * c for c, x in zip(self.coefficients, bottoms, strict=True)]
        return functools.reduce(torch.add, terms)
