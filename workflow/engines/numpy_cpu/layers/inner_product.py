"""InnerProduct."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from workflow.engines.base import Array, Shape
from workflow.engines.numpy_cpu.layers.base import Layer, layer
from workflow.net.spec import LayerSpec


@layer("InnerProduct", bottoms=1, tops=1)
class InnerProduct(Layer):
    """A learned matrix times the bottom, flattened from `axis` on.

    bottom[0]  x  (..., K...)  float32     top[0]  y  (..., O)
    blobs      W  (O, K), or (K, O) with `transpose`;  b (O,) unless `bias_term: false`

    Source: src/caffe/layers/inner_product_layer.cpp.
    """

    def __init__(self, spec: LayerSpec, folder: Path) -> None:
        super().__init__(spec, folder)
        self.param = self.message.inner_product_param
        if self.param.num_output < 1:
            raise self.fail(f"num_output={self.param.num_output}, expected at least 1")

    def parameters(self, *bottoms: Shape) -> Sequence[Shape]:
        axis = self.axis(self.param.axis, len(bottoms[0]))
        inputs, outputs = math.prod(bottoms[0][axis:]), self.param.num_output
        weights = (inputs, outputs) if self.param.transpose else (outputs, inputs)
        return [weights, (outputs,)] if self.param.bias_term else [weights]

    def top_shapes(self, *bottoms: Shape) -> list[Shape]:
        return [(*bottoms[0][: self.axis(self.param.axis, len(bottoms[0]))], self.param.num_output)]

    def forward(self, x: Array) -> Array:
        (top,) = self.top_shapes(x.shape)
        weights = self.blobs[0] if self.param.transpose else self.blobs[0].T  # (K, O)
        y = x.reshape(-1, weights.shape[0]) @ weights
        if self.param.bias_term:
            y += self.blobs[1]
        return y.reshape(top)
