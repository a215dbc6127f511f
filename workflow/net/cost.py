"""The cost of a layer: multiply-adds, as papers count them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from workflow.formats import caffe_pb2

Shape = tuple[int, ...]


def multiply_adds(
    layer: caffe_pb2.LayerParameter, bottoms: Sequence[Shape], tops: Sequence[Shape], params: Sequence[Shape]
) -> int:
    """Multiply-adds of one forward pass over the whole batch: products with weights, nothing else.

    Every output of a Convolution is a sum over one filter, every input of a Deconvolution is multiplied with one
    (filters are params[0], (outputs, inputs / group, kernel...)); InnerProduct takes all inputs to all outputs; LSTM
    and RNN use each weight once for each step and stream. Layers without weights, and those that only scale, count as
    0, as do biases.
    """
    if not params or not bottoms:
        return 0
    if layer.type == "Convolution":
        return math.prod(tops[0]) * math.prod(params[0][1:]) * len(tops)
    if layer.type == "Deconvolution":
        return math.prod(bottoms[0]) * math.prod(params[0][1:]) * len(bottoms)
    if layer.type == "InnerProduct":
        return math.prod(bottoms[0][: layer.inner_product_param.axis]) * math.prod(params[0])
    if layer.type in ("LSTM", "RNN"):
        steps = math.prod(bottoms[0][:2])
        return steps * sum(math.prod(shape) for shape in params if len(shape) == 2)
    return 0
