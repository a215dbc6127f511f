"""The shapes of a net's blobs and parameters, found without computing or allocating them."""

from __future__ import annotations

from pathlib import Path

from workflow.engines.base import Shape
from workflow.engines.numpy_cpu.layers import create, layer_types
from workflow.net.places import at_layer
from workflow.net.spec import NetSpec


def plan(spec: NetSpec) -> tuple[dict[str, Shape], list[list[Shape]]] | None:
    """Every blob's shape, by name, and the shapes of each layer's parameters; None if a layer is not known here.

    Raises:
        NetError: a layer's settings are impossible, or shapes do not fit.
    """
    if any(layer.type not in layer_types() or layer.type == "Data" for layer in spec.layers):
        return None
    shapes: dict[str, Shape] = {}
    params: list[list[Shape]] = []
    for layer in spec.layers:
        with at_layer(spec, layer):
            built = create(layer, Path())  # a Data layer, which alone opens files, is not planned here
            tops = built.plan(*[shapes[bottom] for bottom in layer.bottoms])
        params.append(list(built.param_shapes))
        shapes.update(zip(layer.tops, tops, strict=True))
    return shapes, params
