"""InnerProduct."""

from __future__ import annotations

import math
from pathlib import Path

from torch import Tensor
from torch.nn.functional import linear

from workflow.layers.base import Layer, ParamBlob, Shape, axis_of, layer
from workflow.net.spec import LayerSpec


@layer("InnerProduct", bottoms=1, tops=1)
class InnerProduct(Layer):
    """Every output sees every input of one item.

    bottom[0]  x  (N, ..., rest)     flattened from `axis` on to K values, in row-major order
    top[0]     y  (N, ..., O)        y = x W^T + b
    blobs      W  (O, K), or (K, O) with `transpose: true`;  b (O,) unless `bias_term: false`

    Source: src/caffe/layers/inner_product_layer.cpp.
    """

    def __init__(self, spec: LayerSpec, folder: Path) -> None:
        super().__init__(spec, folder)
        self.param = self.message.inner_product_param
        if self.param.num_output < 1:
            raise self.fail(f"num_output={self.param.num_output}, expected at least 1")

    def param_blobs(self, *bottoms: Shape) -> list[ParamBlob]:
        axis = axis_of(self, self.param.axis, len(bottoms[0]))
        inputs, outputs = math.prod(bottoms[0][axis:]), self.param.num_output
        shape = (inputs, outputs) if self.param.transpose else (outputs, inputs)
        weight = ParamBlob(shape=shape, filler=self.param.weight_filler)
        bias = ParamBlob(shape=(outputs,), filler=self.param.bias_filler)
        return [weight, bias] if self.param.bias_term else [weight]

    def top_shapes(self, *bottoms: Shape) -> list[Shape]:
        return [(*bottoms[0][: axis_of(self, self.param.axis, len(bottoms[0]))], self.param.num_output)]

    def forward(self, x: Tensor) -> Tensor:
        weight = self.blobs[0].t() if self.param.transpose else self.blobs[0]
        rows = x.flatten(axis_of(self, self.param.axis, x.dim()))  # (N, ..., K)
        if rows.shape[-1] != weight.shape[1]:
            raise self.fail(f"bottom of shape {tuple(x.shape)} has {rows.shape[-1]} inputs, expected {weight.shape[1]}")
        return linear(rows, weight, self.blobs[1] if self.param.bias_term else None)
