"""LSTM."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor
from torch.nn.functional import linear

from workflow.layers.base import ParamBlob, layer
from workflow.layers.lstm_unit import lstm_unit
from workflow.layers.recurrent import Recurrent


@layer("LSTM", bottoms=(2, 5), tops=(1, 3))
class LSTM(Recurrent):
    """Long short-term memory (Hochreiter, Schmidhuber 1997; without peepholes): c = cont f c' + i g, h = o tanh(c).

    Bottoms and tops as in `Recurrent`; the states are h, then c. The output is h.
    blobs  W_x (4 D, numbers a moment), b (4 D,), W_s (4 D, numbers of s) if there is s, W_h (4 D, D);
           rows in the order i, f, o, g (torch's is i, f, g, o)

    The gates see cont h'. Source: src/caffe/layers/lstm_layer.cpp.
    """

    states = 2

    def weights(self, inputs: int, static: int | None) -> list[ParamBlob]:
        size = self.param.num_output
        extra = [] if static is None else [self.weight(4 * size, static)]
        return [self.weight(4 * size, inputs), self.bias(4 * size), *extra, self.weight(4 * size, size)]

    def step(
        self, inputs: Tensor, states: Sequence[Tensor], cont: Tensor, blobs: Sequence[Tensor]
    ) -> tuple[Tensor, list[Tensor]]:
        hidden, cells = states
        gates = inputs + linear(hidden * cont.unsqueeze(1), blobs[0])  # (N, 4 D)
        cells, hidden = lstm_unit(cells, gates, cont)
        return hidden, [hidden, cells]
