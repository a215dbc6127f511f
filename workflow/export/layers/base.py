"""The registry of Caffe layer types that ONNX (opset 17) can express, and helpers for their translation."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from workflow.export.graph import Graph, cannot
from workflow.net.spec import LayerSpec

Translate = Callable[[Graph, LayerSpec], None]

_LAYERS: dict[str, Translate] = {}


def translate(graph: Graph, layer: LayerSpec) -> None:
    """Add a layer's nodes.

    Raises:
        NetError: its type, or one of its settings, has no counterpart; the layer is named.
    """
    if layer.type not in _LAYERS:
        raise cannot(layer)
    _LAYERS[layer.type](graph, layer)


def types() -> list[str]:
    """The layer types that can be translated, sorted."""
    return sorted(_LAYERS)


def translates(*names: str) -> Callable[[Translate], Translate]:
    """Register a function for layer types."""

    def register(function: Translate) -> Translate:
        for name in names:
            _LAYERS[name] = function
        return function

    return register


def pair(values: Sequence[int], height: int, width: int, default: int) -> tuple[int, int]:
    """kernel_size and its like: one number, one for each axis, or _h and _w."""
    listed = list(values)
    if height or width:
        return height, width
    return (listed[0], listed[-1]) if listed else (default, default)


def affine(graph: Graph, layer: LayerSpec, value: str, scale: float, shift: float) -> str:
    """Scale x + shift, by its value's name."""
    scaled = graph.between("Mul", layer, [value, number(graph, layer, "scale", scale)], "scaled")
    return graph.between("Add", layer, [scaled, number(graph, layer, "shift", shift)], "shifted")


def number(graph: Graph, layer: LayerSpec, name: str, value: float) -> str:
    """A number as an initializer."""
    return graph.constant(layer, name, np.array(value, np.float32))


def reshaped(graph: Graph, layer: LayerSpec, value: str) -> None:
    """The shape that the top has for one picture, the batch left open."""
    batch, *rest = graph.shape(layer, top=0)
    if batch != 1:
        raise cannot(layer, "that changes the batch")
    shape = graph.constant(layer, "shape", np.array([-1, *rest], np.int64))
    graph.add("Reshape", layer, [value, shape], graph.top(layer))
