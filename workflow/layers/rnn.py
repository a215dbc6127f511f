"""RNN."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import linear

from workflow.layers.base import ParamBlob, layer
from workflow.layers.recurrent import Recurrent


@layer("RNN", bottoms=(2, 4), tops=(1, 2))
class RNN(Recurrent):
    """A plain recurrent net: h = tanh(W_h (cont h') + W_x x + b_h + W_s s), y = tanh(W_o h + b_o).

    Bottoms and tops as in `Recurrent`; the state is h. The output is y.
    blobs  W_x (D, numbers a moment), b_h (D,), W_s (D, numbers of s) if there is s, W_h (D, D), W_o (D, D), b_o (D,)

    Source: src/caffe/layers/rnn_layer.cpp.
    """

    states = 1

    def weights(self, inputs: int, static: int | None) -> list[ParamBlob]:
        size = self.param.num_output
        extra = [] if static is None else [self.weight(size, static)]
        own = [self.weight(size, size), self.weight(size, size), self.bias(size)]
        return [self.weight(size, inputs), self.bias(size), *extra, *own]

    def step(
        self, inputs: Tensor, states: Sequence[Tensor], cont: Tensor, blobs: Sequence[Tensor]
    ) -> tuple[Tensor, list[Tensor]]:
        hidden = torch.tanh(inputs + linear(states[0] * cont.unsqueeze(1), blobs[0]))
        return torch.tanh(linear(hidden, blobs[1], blobs[2])), [hidden]
