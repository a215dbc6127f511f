"""The linear tail of a net: the layers between the last nonlinearity and the logits.

Along it every logit is exactly `sum_i weight[k, i] x[i] + bias[k]`. cifar10_quick is linear after pool3, because
ip1 has no activation; LeNet has a ReLU after ip1, so only ip2 is left of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workflow.errors import NetError
from workflow.formats import caffe_pb2
from workflow.net.build import build
from workflow.net.spec import LayerSpec
from workflow.net.windows import convolution_window

Rows = NDArray[np.float64]
"""(K, ...): for each of K logits, a weight for each number of a blob of one picture."""
Params = Mapping[str, Sequence[NDArray[np.float32]]]
"""Layer -> its parameters, as a session has them."""
Size = tuple[int, ...]
"""A blob's shape without the batch."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One layer of the linear part."""

    layer: LayerSpec
    bottom: str
    """The blob that it reads, ignoring Split layers."""


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """Layers that compute the logits from `start`, each linear, in the order they run."""

    start: str
    logits: str
    """The blob that the Softmax reads."""
    steps: tuple[Step, ...]
    stopped: LayerSpec
    """The layer that made `start`, or last worked in place on it: the first that is not linear, going back."""


def find(net: caffe_pb2.NetParameter, output: str) -> Stretch:
    """The last linear stretch.

    Args:
        net: a deploy net, upgraded.
        output: the top of its Softmax.

    Raises:
        NetError: no layer with weights is between the Softmax and the first nonlinearity before it.
    """
    layers = build(net, phase="TEST").layers
    at = max(index for index, layer in enumerate(layers) if layer.type == "Softmax" and output in layer.tops)
    name = layers[at].bottoms[0]
    logits: str | None = None
    steps: list[Step] = []
    while True:
        at, layer = _maker(layers, at, name)
        if layer.type == "Split":
            name = layer.bottoms[0]
            continue
        logits = logits or name
        if not _is_linear(layer):
            break
        steps.insert(0, Step(layer=layer, bottom=_unsplit(layers, at, layer.bottoms[0])))
        name = layer.bottoms[0]
    # a blob shows what it holds after the whole pass: a layer that works in place on the first one has been at it
    while steps and steps[0].layer.tops[0] == steps[0].bottom:
        steps.pop(0)
    if not any(step.layer.type in _ADJOINTS for step in steps):
        raise NetError(
            f"no linear layer with weights is before Softmax '{output}': '{layer.name}' ({layer.type}) comes first",
            hint="wf inspect shows its blobs",
        )
    return Stretch(start=steps[0].bottom, logits=logits, steps=tuple(steps), stopped=layer)


def compose(stretch: Stretch, params: Params, sizes: Mapping[str, Size]) -> tuple[Rows, Rows]:
    """The whole stretch as one linear map, in float64.

    Rows of weights are carried from the logits back to the start: at each layer y = W x + b they become rows W, and
    rows b is added to the bias.

    Args:
        stretch: as `find` gave it.
        params: the layers' weights.
        sizes: blob -> its shape without the batch, of every blob on the way.

    Returns:
        Weights (K, *sizes[start]) and biases (K,), K being the number of logits.
    """
    count = math.prod(sizes[stretch.logits])
    rows = np.eye(count).reshape(count, *sizes[stretch.logits])
    bias = np.zeros(count)
    for step in reversed(stretch.steps):
        size = sizes[step.bottom]
        if step.layer.type in _ADJOINTS:
            blobs = [blob.astype(np.float64) for blob in params.get(step.layer.name, ())]
            rows, more = _ADJOINTS[step.layer.type](step.layer.message, blobs, rows, size)
            bias += more
        rows = rows.reshape(count, *size)  # all that Flatten and Reshape do
    return rows, bias


def feature_blob(net: caffe_pb2.NetParameter, output: str | None) -> str:
    """The last blob before the first InnerProduct: the features of the convolutions, pool3 in cifar10_quick.

    Where there is no InnerProduct it is the one that the last linear stretch starts from, or else the logits.

    Raises:
        NetError: the net has neither an InnerProduct nor a Softmax.
    """
    layers = build(net, phase="TEST").layers
    for index, layer in enumerate(layers):
        if layer.type == "InnerProduct":
            return _unsplit(layers, index, layer.bottoms[0])
    if output is None:
        raise NetError(f"net '{net.name}' has neither an InnerProduct nor a Softmax layer", hint="name a blob")
    try:
        return find(net, output).start
    except NetError:
        at = max(index for index, layer in enumerate(layers) if output in layer.tops)
        return _unsplit(layers, at, layers[at].bottoms[0])


def logits_blob(net: caffe_pb2.NetParameter, output: str) -> str:
    """The blob that the Softmax layer which makes `output` reads."""
    layers = build(net, phase="TEST").layers
    at = max(index for index, layer in enumerate(layers) if output in layer.tops)
    return _unsplit(layers, at, layers[at].bottoms[0])


def pooled_blobs(net: caffe_pb2.NetParameter) -> tuple[str, ...]:
    """The maps that pooling layers make, in net order: pool1, pool2 and pool3 in cifar10_quick."""
    layers = build(net, phase="TEST").layers
    return tuple(layer.tops[0] for layer in layers if layer.type == "Pooling")


# ---- the graph ----


def _maker(layers: Sequence[LayerSpec], before: int, blob: str) -> tuple[int, LayerSpec]:
    at = max(index for index, layer in enumerate(layers[:before]) if blob in layer.tops)
    return at, layers[at]


def _unsplit(layers: Sequence[LayerSpec], before: int, blob: str) -> str:
    """The blob itself, where a Split gave each reader a copy."""
    at, layer = _maker(layers, before, blob)
    return _unsplit(layers, at, layer.bottoms[0]) if layer.type == "Split" else blob


def _is_linear(layer: LayerSpec) -> bool:
    if layer.type == "Power":
        return bool(layer.message.power_param.power == 1.0)
    if layer.type == "InnerProduct":
        return layer.message.inner_product_param.axis == 1
    return layer.type in _ADJOINTS.keys() | _SHAPES and len(layer.bottoms) == len(layer.tops) == 1


_SHAPES = {"Flatten", "Reshape", "Dropout"}  # Dropout does nothing in phase TEST


# ---- what each layer does to rows of weights: (rows at its top) -> (rows at its bottom, what its bias adds) ----


def _inner_product(
    message: caffe_pb2.LayerParameter, blobs: Sequence[Rows], rows: Rows, size: Size
) -> tuple[Rows, Rows]:
    """Y = W x + b; W is (O, I), or (I, O) with `transpose`. Source: src/caffe/layers/inner_product_layer.cpp."""
    del size
    flat = rows.reshape(len(rows), -1)  # (K, O)
    weights = blobs[0].T if message.inner_product_param.transpose else blobs[0]
    return flat @ weights, flat @ blobs[1] if len(blobs) > 1 else np.zeros(len(rows))


def _convolution(message: caffe_pb2.LayerParameter, blobs: Sequence[Rows], rows: Rows, size: Size) -> tuple[Rows, Rows]:
    """The transposed convolution. Source: src/caffe/layers/conv_layer.cpp, Backward_cpu."""
    window, group = convolution_window(message), message.convolution_param.group
    (pad_y, pad_x), (step_y, step_x), (far_y, far_x) = window.pad, window.stride, window.dilation
    channels, height, width = size
    count, outputs, h, w = rows.shape
    weights = blobs[0].reshape(group, outputs // group, channels // group, *window.kernel)
    tops = rows.reshape(count, group, outputs // group, h, w)
    below_y, below_x = window.overhang((height, width))
    padded = np.zeros((count, channels, height + 2 * pad_y + below_y, width + 2 * pad_x + below_x))
    for y, x in np.ndindex(*window.kernel):
        part = np.einsum("kgohw,goc->kgchw", tops, weights[..., y, x]).reshape(count, channels, h, w)
        top, left = y * far_y, x * far_x
        padded[:, :, top : top + h * step_y : step_y, left : left + w * step_x : step_x] += part
    bias = rows.sum((2, 3)) @ blobs[1] if len(blobs) > 1 else np.zeros(count)
    return padded[:, :, pad_y : pad_y + height, pad_x : pad_x + width], bias


def _scale(message: caffe_pb2.LayerParameter, blobs: Sequence[Rows], rows: Rows, size: Size) -> tuple[Rows, Rows]:
    """Y = x * s + b, both laid over the axes from `axis` on. Source: src/caffe/layers/scale_layer.cpp."""
    factors = _laid_over(blobs[0], message.scale_param.axis, size)
    flat = (len(rows), -1)
    if len(blobs) < 2:
        return rows * factors, np.zeros(len(rows))
    shift = np.broadcast_to(_laid_over(blobs[1], message.scale_param.axis, size), size)
    return rows * factors, rows.reshape(flat) @ shift.reshape(-1)


def _bias(message: caffe_pb2.LayerParameter, blobs: Sequence[Rows], rows: Rows, size: Size) -> tuple[Rows, Rows]:
    """Y = x + b. Source: src/caffe/layers/bias_layer.cpp."""
    shift = np.broadcast_to(_laid_over(blobs[0], message.bias_param.axis, size), size)
    return rows, rows.reshape(len(rows), -1) @ shift.reshape(-1)


def _power(message: caffe_pb2.LayerParameter, blobs: Sequence[Rows], rows: Rows, size: Size) -> tuple[Rows, Rows]:
    """Y = shift + scale x, the power being 1. Source: src/caffe/layers/power_layer.cpp."""
    del blobs, size
    param = message.power_param
    return rows * param.scale, param.shift * rows.reshape(len(rows), -1).sum(1)


def _laid_over(blob: Rows, axis: int, size: Size) -> Rows:
    """A parameter with axes of length 1 before and behind, so that it broadcasts over a picture's blob."""
    axes = len(size) + 1  # with the batch, from which Caffe counts
    first = axis % axes - 1
    return blob.reshape((1,) * first + blob.shape + (1,) * (len(size) - first - blob.ndim))


_Adjoint = Callable[[caffe_pb2.LayerParameter, Sequence[Rows], Rows, Size], tuple[Rows, Rows]]
_ADJOINTS: dict[str, _Adjoint] = {
    "InnerProduct": _inner_product,
    "Convolution": _convolution,
    "Scale": _scale,
    "Bias": _bias,
    "Power": _power,
}
