"""LSTMUnit: one time step of an LSTM, given its gates."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from workflow.layers.base import Layer, Shape, layer


@layer("LSTMUnit", bottoms=3, tops=2)
class LSTMUnit(Layer):
    """One step of an LSTM's cells.

    bottom[0]  c_prev  (1, N, D)        bottom[1]  gates  (1, N, 4 D)  inputs of i, f, o, g in that order
    bottom[2]  cont    (1, N)  0 where a new sequence begins, else 1; no gradient
    top[0]     c       (1, N, D)  cont sigmoid(f) c_prev + sigmoid(i) tanh(g)
    top[1]     h       (1, N, D)  sigmoid(o) tanh(c)

    Source: src/caffe/layers/lstm_unit_layer.cpp.
    """

    def top_shapes(self, *bottoms: Shape) -> list[Shape]:
        cells, gates, cont = bottoms
        if len(cells) != 3 or cells[0] != 1 or gates != (1, cells[1], 4 * cells[2]) or cont != (1, cells[1]):
            raise self.fail(
                f"bottoms of shapes {cells}, {gates} and {cont}, expected (1, N, D), (1, N, 4 D) and (1, N)"
            )
        return [cells, cells]

    def forward(self, cells: Tensor, gates: Tensor, cont: Tensor) -> tuple[Tensor, Tensor]:
        self.top_shapes(tuple(cells.shape), tuple(gates.shape), tuple(cont.shape))
        return lstm_unit(cells, gates, cont.detach())


def lstm_unit(cells: Tensor, gates: Tensor, cont: Tensor) -> tuple[Tensor, Tensor]:
    """The new cells and hidden values, each (..., N, D), for gates (..., N, 4 D) and cont (..., N)."""
    i, f, o, g = gates.chunk(4, dim=-1)
    forget: Tensor = _Forget.apply(f, cont.unsqueeze(-1))  # type: ignore[no-untyped-call]  # torch's own
    new = forget * cells + torch.sigmoid(i) * torch.tanh(g)
    return new, torch.sigmoid(o) * torch.tanh(new)


class _Forget(torch.autograd.Function):
    """y = cont sigmoid(x), with Caffe's slope y (1 - y): the true one where cont is 0 or 1, as it should be."""

    @staticmethod
    def forward(context: Any, x: Tensor, cont: Tensor) -> Tensor:
        y = cont * torch.sigmoid(x)
        context.save_for_backward(y)
        return y

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (y,) = context.saved_tensors
        return gradients[0] * y * (1 - y), None
