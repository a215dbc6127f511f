"""Reduction."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from workflow.formats import caffe_pb2
from workflow.layers.base import Layer, axis_of, layer

_Reduction = caffe_pb2.ReductionParameter
_OPERATIONS: dict[int, Callable[[Tensor], Tensor]] = {
    _Reduction.SUM: lambda rows: rows.sum(dim=-1),
    _Reduction.ASUM: lambda rows: rows.abs().sum(dim=-1),
    _Reduction.SUMSQ: lambda rows: rows.square().sum(dim=-1),
    _Reduction.MEAN: lambda rows: rows.mean(dim=-1),
}


@layer("Reduction", bottoms=1, tops=1)
class Reduction(Layer):
    """SUM, ASUM (of absolute values), SUMSQ (of squares) or MEAN over `axis` (0) and all axes behind it, times `coeff`.

    bottom[0]  x  at least one axis        top[0]  y  the axes before `axis`
    Source: src/caffe/layers/reduction_layer.cpp.
    """

    def forward(self, x: Tensor) -> Tensor:
        param = self.message.reduction_param
        rows = x.flatten(axis_of(self, param.axis, x.dim()))
        return _OPERATIONS[param.operation](rows) * param.coeff
