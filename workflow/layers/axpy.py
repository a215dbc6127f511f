"""Axpy, of the squeeze-and-excitation fork."""

from __future__ import annotations

from torch import Tensor

from workflow.layers.base import Layer, Shape, layer


@layer("Axpy", bottoms=3, tops=1)
class Axpy(Layer):
    """A factor for each channel of each item, and a summand.

    bottom[0]  a  (N, C) or (N, C, 1, 1)        bottom[1]  x  (N, C, ...)        bottom[2]  y  as x
    top[0]        a x + y, as x

    Source: axpy_layer.cpp of J. Hu's fork (Squeeze-and-Excitation Networks, 2018).
    """

    def top_shapes(self, *bottoms: Shape) -> list[Shape]:
        a, x, y = bottoms
        if len(x) < 2 or x != y or a[:2] != x[:2] or any(size != 1 for size in a[2:]):
            raise self.fail(
                f"bottoms of shapes {a}, {x} and {y}, expected (N, C, 1, 1), (N, C, ...) and the same again"
            )
        return [x]

    def forward(self, a: Tensor, x: Tensor, y: Tensor) -> Tensor:
        self.top_shapes(tuple(a.shape), tuple(x.shape), tuple(y.shape))
        return a.reshape(*x.shape[:2], *[1] * (x.dim() - 2)) * x + y
