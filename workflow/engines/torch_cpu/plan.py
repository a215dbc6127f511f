"""The shapes of a net's blobs and parameters, found without allocating them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from workflow.engines.base import Shape
from workflow.layers import Layer, ParamBlob, create
from workflow.net.places import at_layer
from workflow.net.spec import NetSpec


def layers_of(spec: NetSpec, folder: Path) -> Iterator[Layer]:
    """The layers that run a net, one by one; paths in it are relative to `folder`.

    Raises:
        NetError: a layer that is unknown or whose settings are impossible.
        DatabaseError, ModelError: a data layer's files.
    """
    for layer in spec.layers:
        with at_layer(spec, layer):
            built = create(layer, folder)
        yield built


def plan(spec: NetSpec, layers: Sequence[Layer]) -> tuple[dict[str, Shape], list[Sequence[ParamBlob]]]:
    """Every blob's shape, by name, and every layer's parameters.

    Raises:
        NetError: shapes that do not fit.
    """
    shapes: dict[str, Shape] = {}
    declared: list[Sequence[ParamBlob]] = []
    for layer in layers:
        bottoms = [shapes[bottom] for bottom in layer.spec.bottoms]
        with at_layer(spec, layer.spec):
            declared.append(layer.param_blobs(*bottoms))
            shapes.update(zip(layer.spec.tops, layer.top_shapes(*bottoms), strict=True))
    return shapes, declared
