"""Layers about channels and shapes. Sources: the layers' own files."""

from __future__ import annotations

import numpy as np

from workflow.export.graph import Graph, cannot
from workflow.export.layers.base import number, reshaped, translates
from workflow.net.spec import LayerSpec


@translates("BatchNorm")
def _batch_norm(graph: Graph, layer: LayerSpec) -> None:
    param = layer.message.batch_norm_param
    if param.HasField("use_global_stats") and not param.use_global_stats:
        raise cannot(layer, "statistics of the batch")
    mean, variance, factor = graph.params[layer.name]
    share = 0.0 if factor.reshape(-1)[0] == 0 else 1 / factor.reshape(-1)[0]
    channels = mean.size
    arrays = {
        "scale": np.ones(channels),
        "shift": np.zeros(channels),
        "mean": mean.reshape(-1) * share,
        "variance": variance.reshape(-1) * share,
    }
    inputs = [graph.constant(layer, name, array.astype(np.float32)) for name, array in arrays.items()]
    graph.add(
        "BatchNormalization", layer, [*graph.bottoms(layer), *inputs], graph.top(layer), epsilon=max(param.eps, 1e-12)
    )


@translates("Scale", "Bias")
def _scale(graph: Graph, layer: LayerSpec) -> None:
    """Multiply by and add a blob whose axes start at `axis`; the other axes are broadcast."""
    is_scale = layer.type == "Scale"
    param = layer.message.scale_param if is_scale else layer.message.bias_param
    axes, (value, *other) = len(graph.shape(layer)), graph.bottoms(layer)
    if other:
        raise cannot(layer, "with a second bottom")
    first = param.axis % axes
    blobs = [blob.reshape(*blob.shape, *[1] * (axes - first - blob.ndim)) for blob in graph.params[layer.name]]
    if is_scale and len(blobs) == 2:
        value = graph.between("Mul", layer, [value, graph.constant(layer, "scale", blobs[0])], "scaled")
        graph.add("Add", layer, [value, graph.constant(layer, "shift", blobs[1])], graph.top(layer))
    else:
        graph.add("Mul" if is_scale else "Add", layer, [value, graph.constant(layer, "w", blobs[0])], graph.top(layer))


@translates("Concat")
def _concat(graph: Graph, layer: LayerSpec) -> None:
    param = layer.message.concat_param
    axis = param.concat_dim if param.HasField("concat_dim") else param.axis
    graph.add("Concat", layer, graph.bottoms(layer), graph.top(layer), axis=int(axis))


@translates("Slice")
def _slice(graph: Graph, layer: LayerSpec) -> None:
    param = layer.message.slice_param
    axis = int(param.slice_dim if param.HasField("slice_dim") else param.axis) % len(graph.shape(layer))
    if axis == 0:
        raise cannot(layer, "of the batch")
    start = 0
    for index in range(len(layer.tops)):
        end = start + graph.shape(layer, top=index)[axis]
        (bottom,) = graph.bottoms(layer)
        limits = [
            graph.constant(layer, f"{index}/{name}", np.array([number], np.int64))
            for name, number in (("start", start), ("end", end), ("axis", axis))
        ]
        graph.add("Slice", layer, [bottom, *limits], graph.top(layer, index))
        start = end


@translates("Eltwise")
def _eltwise(graph: Graph, layer: LayerSpec) -> None:
    param, bottoms = layer.message.eltwise_param, graph.bottoms(layer)
    if param.operation == param.SUM:
        factors = list(param.coeff) or [1.0] * len(bottoms)
        bottoms = [
            bottom
            if factor == 1
            else graph.between("Mul", layer, [bottom, number(graph, layer, f"{n}/c", factor)], f"{n}/term")
            for n, (bottom, factor) in enumerate(zip(bottoms, factors, strict=True))
        ]
        graph.add("Sum", layer, bottoms, graph.top(layer))
    elif param.operation == param.MAX:
        graph.add("Max", layer, bottoms, graph.top(layer))
    else:
        value = bottoms[0]
        for place, bottom in enumerate(bottoms[1:-1]):
            value = graph.between("Mul", layer, [value, bottom], f"{place}/product")
        graph.add("Mul", layer, [value, bottoms[-1]], graph.top(layer))


@translates("Softmax")
def _softmax(graph: Graph, layer: LayerSpec) -> None:
    graph.add("Softmax", layer, graph.bottoms(layer), graph.top(layer), axis=layer.message.softmax_param.axis)


@translates("Permute")
def _permute(graph: Graph, layer: LayerSpec) -> None:
    axes = len(graph.shape(layer))
    order = list(layer.message.permute_param.order)
    order += [axis for axis in range(axes) if axis not in order]
    if order[0] != 0:
        raise cannot(layer, "that moves the batch")
    graph.add("Transpose", layer, graph.bottoms(layer), graph.top(layer), perm=order)


@translates("Flatten", "Reshape")
def _flatten(graph: Graph, layer: LayerSpec) -> None:
    reshaped(graph, layer, graph.bottoms(layer)[0])
