"""Sliding-window layers. Sources: conv_layer.cpp, pooling_layer.cpp, lrn_layer.cpp."""

from __future__ import annotations

import numpy as np

from workflow.export.graph import Graph, cannot
from workflow.export.layers.base import number, pair, translates
from workflow.net.spec import LayerSpec


@translates("Convolution", "Deconvolution")
def _convolution(graph: Graph, layer: LayerSpec) -> None:
    param = layer.message.convolution_param
    if param.axis != 1 or len(graph.shape(layer)) != 4:
        raise cannot(layer, "only over the last two of four axes")
    kernel = pair(param.kernel_size, param.kernel_h, param.kernel_w, 1)
    rows, columns = pair(param.pad, param.pad_h, param.pad_w, 0)
    for index, bottom in enumerate(graph.bottoms(layer)):  # one set of weights for all of its bottoms
        blobs = graph.params[layer.name]
        inputs = [bottom, *(graph.constant(layer, f"{index}/{n}", blob) for n, blob in zip("wb", blobs, strict=False))]
        graph.add(
            "Conv" if layer.type == "Convolution" else "ConvTranspose",
            layer,
            inputs,
            graph.top(layer, index),
            kernel_shape=kernel,
            strides=pair(param.stride, param.stride_h, param.stride_w, 1),
            dilations=pair(param.dilation, 0, 0, 1),
            pads=(rows, columns, rows, columns),
            group=param.group,
        )


@translates("Pooling")
def _pooling(graph: Graph, layer: LayerSpec) -> None:
    """Caffe rounds the output's size up, and clips windows that would begin behind the picture: pads say it exactly.

    The mean's divisor counts the declared padding, but nothing behind it (pooling_layer.cpp).
    """
    param = layer.message.pooling_param
    if param.pool == param.STOCHASTIC or len(layer.tops) > 1:
        raise cannot(layer, "stochastic pooling, or a second top")
    (bottom,), height_width = graph.bottoms(layer), graph.shape(layer)[2:]
    if param.global_pooling:
        graph.add(
            "GlobalMaxPool" if param.pool == param.MAX else "GlobalAveragePool", layer, [bottom], graph.top(layer)
        )
        return
    kernel = (param.kernel_h or param.kernel_size, param.kernel_w or param.kernel_size)
    stride = (param.stride_h or param.stride, param.stride_w or param.stride)
    pad = (param.pad_h or param.pad, param.pad_w or param.pad)
    out = graph.shape(layer, top=0)[2:]
    behind = [max(0, (out[i] - 1) * stride[i] + kernel[i] - height_width[i] - pad[i]) for i in (0, 1)]
    settings = {"kernel_shape": kernel, "strides": stride, "pads": (*pad, *behind)}
    if param.pool == param.MAX:
        graph.add("MaxPool", layer, [bottom], graph.top(layer), **settings)
        return
    mean = graph.between("AveragePool", layer, [bottom], "mean", count_include_pad=1, **settings)
    counted = [_counted(out[i], kernel[i], stride[i], pad[i], height_width[i]) for i in (0, 1)]
    share = (kernel[0] * kernel[1] / np.outer(counted[0], counted[1])).astype(np.float32)[None, None]
    graph.add("Mul", layer, [mean, graph.constant(layer, "divisor", share)], graph.top(layer))


def _counted(out: int, kernel: int, stride: int, pad: int, size: int) -> list[int]:
    """How many places of a window the mean is taken over, along one axis."""
    starts = [place * stride - pad for place in range(out)]
    return [min(start + kernel, size + pad) - start for start in starts]


@translates("LRN")
def _lrn(graph: Graph, layer: LayerSpec) -> None:
    param, (bottom,) = layer.message.lrn_param, graph.bottoms(layer)
    size = param.local_size
    if param.norm_region == param.ACROSS_CHANNELS:
        settings = {"size": size, "alpha": param.alpha, "beta": param.beta, "bias": param.k}
        graph.add("LRN", layer, [bottom], graph.top(layer), **settings)
        return
    square = graph.between("Mul", layer, [bottom, bottom], "square")
    pads = [(size - 1) // 2] * 4
    kernel = {"kernel_shape": (size, size), "strides": (1, 1), "pads": pads, "count_include_pad": 1}
    mean = graph.between("AveragePool", layer, [square], "mean", **kernel)
    weighted = graph.between("Mul", layer, [mean, number(graph, layer, "alpha", param.alpha)], "weighted")
    whole = graph.between("Add", layer, [weighted, number(graph, layer, "one", 1.0)], "sum")
    divisor = graph.between("Pow", layer, [whole, number(graph, layer, "beta", param.beta)], "divisor")
    graph.add("Div", layer, [bottom, divisor], graph.top(layer))
