"""Errors of a layer, with its name and its line in the net's file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from workflow.errors import NetError
from workflow.formats.prototxt import locate_layer
from workflow.net.spec import LayerSpec, NetSpec


@contextmanager
def at_layer(net: NetSpec, layer: LayerSpec) -> Iterator[None]:
    """Add the layer's name and place to errors raised inside that lack them."""
    try:
        yield
    except NetError as error:
        if f"'{layer.name}'" not in error.message:
            error.message = f"layer '{layer.name}' ({layer.type}): {error.message}"
        if error.at is None and net.source is not None:
            error.at = locate_layer(net.source, layer.name)
        raise
