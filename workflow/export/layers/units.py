"""Element-wise layers and layers over all values. Sources: the layers' own files."""

from __future__ import annotations

import numpy as np

from workflow.export.graph import Graph
from workflow.export.layers.base import affine, number, reshaped, translates
from workflow.net.spec import LayerSpec


@translates("InnerProduct")
def _inner_product(graph: Graph, layer: LayerSpec) -> None:
    param, shape = layer.message.inner_product_param, graph.shape(layer)
    axis = param.axis % len(shape)
    weights = graph.params[layer.name]
    flat = graph.between("Flatten", layer, graph.bottoms(layer), "flat", axis=axis)
    inputs = [flat, *(graph.constant(layer, name, blob) for name, blob in zip(("w", "b"), weights, strict=False))]
    product = {"transB": 0 if param.transpose else 1}
    if axis == 1:
        graph.add("Gemm", layer, inputs, graph.top(layer), **product)
        return
    product_name = graph.between("Gemm", layer, inputs, "product", **product)
    reshaped(graph, layer, product_name)


@translates("ReLU")
def _relu(graph: Graph, layer: LayerSpec) -> None:
    slope = layer.message.relu_param.negative_slope
    if slope:
        graph.add("LeakyRelu", layer, graph.bottoms(layer), graph.top(layer), alpha=slope)
    else:
        graph.add("Relu", layer, graph.bottoms(layer), graph.top(layer))


@translates("ReLU6")
def _relu6(graph: Graph, layer: LayerSpec) -> None:
    limits = [number(graph, layer, name, value) for name, value in (("least", 0.0), ("most", 6.0))]
    graph.add("Clip", layer, [*graph.bottoms(layer), *limits], graph.top(layer))


@translates("PReLU")
def _prelu(graph: Graph, layer: LayerSpec) -> None:
    axes = len(graph.shape(layer)) - 2
    (slope,) = graph.params[layer.name]
    value = graph.constant(layer, "slope", slope.reshape(-1, *[1] * axes))
    graph.add("PRelu", layer, [*graph.bottoms(layer), value], graph.top(layer))


@translates("ELU")
def _elu(graph: Graph, layer: LayerSpec) -> None:
    graph.add("Elu", layer, graph.bottoms(layer), graph.top(layer), alpha=layer.message.elu_param.alpha)


_PLAIN = {"Sigmoid": "Sigmoid", "TanH": "Tanh", "AbsVal": "Abs", "BNLL": "Softplus", "Dropout": "Identity"}


@translates(*_PLAIN)
def _plain(graph: Graph, layer: LayerSpec) -> None:
    graph.add(_PLAIN[layer.type], layer, graph.bottoms(layer), graph.top(layer))


@translates("Split")
def _split(graph: Graph, layer: LayerSpec) -> None:
    for index in range(len(layer.tops)):
        graph.values[layer.tops[index]] = graph.bottoms(layer)[0]  # copies that ONNX does not need


@translates("Silence")
def _silence(graph: Graph, layer: LayerSpec) -> None:
    del graph, layer


@translates("Power")
def _power(graph: Graph, layer: LayerSpec) -> None:
    """(shift + scale x) ^ power."""
    param = layer.message.power_param
    value = affine(graph, layer, graph.bottoms(layer)[0], param.scale, param.shift)
    graph.add("Pow", layer, [value, number(graph, layer, "power", param.power)], graph.top(layer))


@translates("Exp")
def _exp(graph: Graph, layer: LayerSpec) -> None:
    """Base ^ (shift + scale x); base -1 is e."""
    param = layer.message.exp_param
    log = 1.0 if param.base == -1 else float(np.log(param.base))
    value = affine(graph, layer, graph.bottoms(layer)[0], param.scale * log, param.shift * log)
    graph.add("Exp", layer, [value], graph.top(layer))


@translates("Log")
def _log(graph: Graph, layer: LayerSpec) -> None:
    """log_base(shift + scale x); base -1 is e."""
    param = layer.message.log_param
    value = affine(graph, layer, graph.bottoms(layer)[0], param.scale, param.shift)
    logarithm = graph.between("Log", layer, [value], "log")
    factor = 1.0 if param.base == -1 else 1 / float(np.log(param.base))
    graph.add("Mul", layer, [logarithm, number(graph, layer, "factor", factor)], graph.top(layer))
