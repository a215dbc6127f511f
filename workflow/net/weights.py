"""Weights from a file for the layers of a net: matched by name, checked, brought to the net's shapes.

Source: src/caffe/net.cpp, Net::CopyTrainedLayersFrom; src/caffe/blob.cpp, Blob::ShapeEquals and FromProto.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from workflow.errors import ModelError
from workflow.formats import blobproto, caffe_pb2

Shape = tuple[int, ...]
Array = NDArray[np.float32]
Blob = tuple[str, int]
"""A parameter: its layer's name and its index there."""


def match(
    layers: Mapping[str, Sequence[Shape]],
    weights: caffe_pb2.NetParameter,
    *,
    ignore: Collection[str] = (),
    shared: Collection[Blob] = (),
) -> dict[str, list[Array]]:
    """The arrays that `weights` hold for the layers of a net.

    Layers of the file that the net does not have are passed over, as in Caffe, and so are layers of the net that
    the file does not have: they are not in the result. Types are not compared. Legacy blobs of four axes fit a
    shape that equals theirs once ones are put before it. Of two layers of one name in the file the last counts.

    Args:
        layers: name of each layer of the net -> the shapes of its parameters (empty for none). Of layers that bear
            one name Caffe fills the first.
        weights: a caffemodel, upgraded.
        ignore: layers that keep what they have (`--ignore-mismatch`).
        shared: parameters that another layer owns. HDF5 files leave them out; a layer of the file without any blob
            is passed over if all of its parameters are among them.

    Returns:
        Layer name -> its parameters, float32, in the net's shapes, for layers that have any; in the file's order.

    Raises:
        ModelError: numbers or shapes of blobs differ; all layers that do not fit are listed.
    """
    found: dict[str, list[Array]] = {}
    problems: dict[str, str] = {}
    for layer in weights.layer:
        shapes = layers.get(layer.name)
        if shapes is None or layer.name in ignore:
            continue
        if _left_out(layer, len(shapes), shared):
            continue
        problem = _misfit(layer, shapes)
        if problem:
            problems[layer.name] = problem
        elif shapes:
            found[layer.name] = [
                blobproto.to_array(blob).reshape(shape) for blob, shape in zip(layer.blobs, shapes, strict=True)
            ]
    if problems:
        raise ModelError(
            "; ".join(f"{name}: {problem}" for name, problem in problems.items()),
            hint=f"--ignore-mismatch {','.join(problems)}, or take the net that the weights were trained with",
            fault="C02",
        )
    return found


def _left_out(layer: caffe_pb2.LayerParameter, count: int, shared: Collection[Blob]) -> bool:
    """Whether the file leaves this to the owners of what the layer shares: it has no blob, and needs none."""
    return not layer.blobs and count > 0 and all((layer.name, index) in shared for index in range(count))


def _misfit(layer: caffe_pb2.LayerParameter, shapes: Sequence[Shape]) -> str:
    """What is wrong with the layer of the file, as `file 32×3×5×5, net 64×3×5×5`; empty if it fits."""
    if len(layer.blobs) != len(shapes):
        return f"file has {len(layer.blobs)} blobs, net has {len(shapes)}"
    for index, (blob, shape) in enumerate(zip(layer.blobs, shapes, strict=True)):
        if not blobproto.matches(blob, shape):
            which = f" (blob {index})" if index else ""
            return f"file {_by(blobproto.shape_of(blob))}, net {_by(shape)}{which}"
    return ""


def _by(shape: Shape) -> str:
    return "×".join(str(size) for size in shape) or "one number"
