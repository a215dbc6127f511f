"""The blobs of a new net: which of them share memory, and their initial values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workflow.engines.base import Shape
from workflow.engines.torch_cpu.parameters import Place
from workflow.layers import Layer
from workflow.layers.blob import Blob, Numbers
from workflow.layers.dummy_data import DummyData


def blobs(layers: Sequence[Layer], shapes: Mapping[str, Shape]) -> dict[str, Blob]:
    """Name -> blob, in net order: zeros, and in the diff of a top its loss weight; a Split's tops are its bottom."""
    found: dict[str, Blob] = {}
    for layer in layers:
        for top, weight in zip(layer.spec.tops, layer.spec.loss_weights, strict=True):
            if top not in found:
                shape = shapes[top]
                same = found[layer.spec.bottoms[0]].numbers if layer.spec.type == "Split" else Numbers(shape)
                found[top] = Blob(same, Numbers(shape))
            if weight:
                found[top].diff[...] = weight
    return found


def param_blobs(
    layers: Sequence[Layer], shared: Mapping[Place, Place], theirs: Mapping[str, Sequence[Blob]]
) -> list[list[Blob]]:
    """For each layer the blobs of its parameters.

    Args:
        layers: of the net.
        shared: a parameter that is another layer's -> that one; both have one data and one diff.
        theirs: the parameters of another net by layer, whose data those of the same name take over.
    """
    owners: dict[Place, Blob] = {}
    found = []
    for layer in layers:
        name, made = layer.spec.name, list[Blob]()
        for index, tensor in enumerate(layer.blobs):
            taken = len(theirs.get(name, ())) == len(layer.blobs)
            blob = Blob(theirs[name][index].numbers if taken else Numbers.of(tensor), Numbers(tuple(tensor.shape)))
            owner = owners.get(shared.get((name, index), ("", 0)))
            if owner is not None:
                blob.gradient = Numbers.of(owner.gradient.fixed().view(tensor.shape))
            owners.setdefault((name, index), blob)
            made.append(blob)
        found.append(made)
    return found


def fill_constants(layers: Sequence[Layer], memory: Mapping[str, Blob]) -> None:
    """Fill the constants of DummyData layers once; later values are the script's own."""
    for layer in layers:
        if isinstance(layer, DummyData):
            for top, tensor, constant in zip(layer.spec.tops, layer.forward(), layer.constant, strict=True):
                if constant:
                    memory[top].numbers.put(tensor)
