"""Embed."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor
from torch.nn.functional import embedding

from workflow.layers.base import Layer, ParamBlob, Shape, layer
from workflow.net.spec import LayerSpec


@layer("Embed", bottoms=1, tops=1)
class Embed(Layer):
    """A learned row of numbers for each whole number.

    bottom[0]  x  any shape          whole numbers 0..input_dim-1; no gradient
    top[0]     y  (*shape of x, O)   y = W[x] + b
    blobs      W  (input_dim, O),  b (O,) unless `bias_term: false`

    Source: src/caffe/layers/embed_layer.cpp. Real Caffe does not check the numbers in its release builds; this does.
    """

    def __init__(self, spec: LayerSpec, folder: Path) -> None:
        super().__init__(spec, folder)
        self.param = self.message.embed_param
        for what, value in (("num_output", self.param.num_output), ("input_dim", self.param.input_dim)):
            if value < 1:
                raise self.fail(f"{what}={value}, expected at least 1")

    def param_blobs(self, *bottoms: Shape) -> list[ParamBlob]:
        del bottoms
        rows, outputs = self.param.input_dim, self.param.num_output
        weight = ParamBlob(shape=(rows, outputs), filler=self.param.weight_filler)
        bias = ParamBlob(shape=(outputs,), filler=self.param.bias_filler)
        return [weight, bias] if self.param.bias_term else [weight]

    def forward(self, x: Tensor) -> Tensor:
        index, rows = x.detach().long(), self.param.input_dim
        if not index.is_meta and bool(((index < 0) | (index >= rows)).any()):
            wrong = index[(index < 0) | (index >= rows)]
            raise self.fail(f"number {int(wrong[0])}, expected 0 to {rows - 1} (input_dim: {rows})")
        y = embedding(index, self.blobs[0])
        return y + self.blobs[1] if self.param.bias_term else y
