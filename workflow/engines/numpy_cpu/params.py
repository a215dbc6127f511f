"""Set the parameters of a session's layers: from `blobs` in the prototxt, then from a weights file."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

from workflow.engines.base import Array, Shape
from workflow.engines.numpy_cpu.layers import Layer
from workflow.errors import ModelError
from workflow.formats import blobproto, caffe_pb2
from workflow.net import weights as weight_files

_Place = tuple[int, int]  # (index of the layer, index of its blob)


def assign(layers: Sequence[Layer], weights: caffe_pb2.NetParameter | None, *, ignore: Collection[str] = ()) -> None:
    """Fill `blobs` of every layer that asked for parameters.

    Parameters of one name are one array, seen in each sharer's shape; of several copies in a file the last one
    counts (Net::CopyTrainedLayersFrom).

    Raises:
        NetError: sharers whose shapes do not fit, or more `param` blocks than parameters.
        ModelError: the file's blobs do not fit, or there are none for a layer that needs them.
    """
    owners = _owners(layers)
    found: dict[_Place, Array] = {}
    for index, layer in enumerate(layers):
        given = [blobproto.to_array(blob) for blob in layer.message.blobs]
        for blob, (array, shape) in enumerate(zip(given, layer.param_shapes, strict=False)):
            if array.shape != shape:
                raise layer.fail(f"blob {blob} of shape {array.shape} in the prototxt, expected {shape}")
            found[owners[index, blob]] = array
    if weights is not None:
        found.update(_from_file(layers, owners, weights, ignore))
    for index, layer in enumerate(layers):
        places = [owners[index, blob] for blob in range(len(layer.param_shapes))]
        if any(place not in found for place in places):
            raise _nothing_for(layer, weights, ignore)
        layer.blobs = [found[place].reshape(shape) for place, shape in zip(places, layer.param_shapes, strict=True)]


def _owners(layers: Sequence[Layer]) -> dict[_Place, _Place]:
    """Each parameter -> the first of its name, which is itself if it is not shared."""
    owners: dict[_Place, _Place] = {}
    named: dict[str, tuple[_Place, Shape]] = {}
    for index, layer in enumerate(layers):
        params, shapes = layer.spec.params, layer.param_shapes
        if len(params) > len(shapes):
            raise layer.fail(f"{len(params)} param blocks, but the layer has {len(shapes)} parameters")
        for blob, shape in enumerate(shapes):
            place = (index, blob)
            name = params[blob].name if blob < len(params) else ""
            owner, theirs = named.setdefault(name, (place, shape)) if name else (place, shape)
            permissive = blob < len(params) and params[blob].permissive
            if not (math.prod(theirs) == math.prod(shape) if permissive else theirs == shape):
                raise layer.fail(
                    f"shares '{name}' of layer '{layers[owner[0]].spec.name}', whose shape is {theirs}, not {shape}"
                )
            owners[place] = owner
    return owners


def _from_file(
    layers: Sequence[Layer], owners: dict[_Place, _Place], weights: caffe_pb2.NetParameter, ignore: Collection[str]
) -> dict[_Place, Array]:
    first: dict[str, int] = {}
    for index, layer in enumerate(layers):
        first.setdefault(layer.spec.name, index)
    shapes = {name: layers[index].param_shapes for name, index in first.items()}
    shared = {(layers[place[0]].spec.name, place[1]) for place, owner in owners.items() if place != owner}
    weight_files.warn_of_unused(weights, first)
    found = weight_files.match(shapes, weights, ignore=ignore, shared=shared)
    return {
        owners[first[name], blob]: array
        for name, arrays in found.items()
        for blob, array in enumerate(arrays)
        if array is not None
    }


def _nothing_for(layer: Layer, weights: caffe_pb2.NetParameter | None, ignore: Collection[str]) -> ModelError:
    if layer.spec.name in ignore:
        return ModelError(
            f"layer '{layer.spec.name}' ({layer.spec.type}) is to be filled, but the numpy engine has no fillers",
            hint="--engine torch",
        )
    if weights is None:
        return ModelError(
            f"layer '{layer.spec.name}' ({layer.spec.type}) has parameters, but no weights were given",
            hint="give a .caffemodel",
        )
    holders = [theirs.name for theirs in weights.layer if theirs.blobs]
    return ModelError(
        f"layer '{layer.spec.name}' ({layer.spec.type}) has parameters, but the weights hold none for it; "
        f"they are for {', '.join(holders) or 'no layer'}",
        hint="do the weights belong to this net?",
        fault="C02",
    )
