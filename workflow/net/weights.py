"""Weights from a file for the layers of a net: matched by name, checked, converted to the net's shapes.

Source: src/caffe/net.cpp, Net::CopyTrainedLayersFrom; src/caffe/blob.cpp, Blob::ShapeEquals and FromProto.
"""

from __future__ import annotations

import logging
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
) -> dict[str, list[Array | None]]:
    """The arrays that `weights` hold for the layers of a net.

    Layers of the file that the net does not have are skipped, as in Caffe, and so are layers of the net that
    the file does not have: they are not in the result. Types are not compared. Legacy blobs of four axes fit a
    shape that equals theirs once ones are put before it. Of two layers of one name in the file the last counts.

    Args:
        layers: name of each layer of the net -> the shapes of its parameters (empty for none). Of layers that bear
            one name Caffe fills the first.
        weights: a caffemodel, upgraded.
        ignore: layers that keep what they have (`--ignore-mismatch`).
        shared: parameters that another layer owns. HDF5 files leave them out: at the end of a layer, or as an empty
            blob before others.

    Returns:
        Layer name -> its parameters, float32, in the net's shapes, for layers that have any; in the file's order.
        None stands for a shared parameter that the file leaves to its owner.

    Raises:
        ModelError: numbers or shapes of blobs differ; all layers that do not fit are listed.
    """
    found: dict[str, list[Array | None]] = {}
    problems: dict[str, str] = {}
    for layer in weights.layer:
        shapes = layers.get(layer.name)
        if shapes is None or layer.name in ignore:
            continue
        blobs = _stored(layer, len(shapes), shared)
        problem = _misfit(blobs, shapes)
        if problem:
            problems[layer.name] = problem
        elif any(blob is not None for blob in blobs):
            found[layer.name] = [
                None if blob is None else blobproto.to_array(blob).reshape(shape)
                for blob, shape in zip(blobs, shapes, strict=True)
            ]
    if problems:
        raise ModelError(
            "; ".join(f"{name}: {problem}" for name, problem in problems.items()),
            hint=f"--ignore-mismatch {','.join(problems)}, or use the net that the weights were trained with",
            fault="C02",
        )
    return found


def warn_of_unused(weights: caffe_pb2.NetParameter, known: Collection[str]) -> None:
    """Warn once of layers of a file that have weights but are not in the net; Caffe logs a line for each.

    Args:
        weights: a caffemodel.
        known: names of the net's layers.
    """
    unused = list(dict.fromkeys(layer.name for layer in weights.layer if layer.blobs and layer.name not in known))
    if unused:
        logging.getLogger("workflow").warning(
            "the file has weights of layers that the net does not have; they were left: %s", ", ".join(unused)
        )


def _stored(layer: caffe_pb2.LayerParameter, count: int, shared: Collection[Blob]) -> list[caffe_pb2.BlobProto | None]:
    """The blobs of a layer of the file; None for shared ones, which the file stores with their owner."""
    blobs: list[caffe_pb2.BlobProto | None] = list(layer.blobs)
    for index in range(count):
        if (layer.name, index) not in shared:
            continue
        if index == len(blobs):
            blobs.append(None)
        elif index < len(blobs) and blobproto.shape_of(layer.blobs[index]) == (0,):
            blobs[index] = None
    return blobs


def _misfit(blobs: Sequence[caffe_pb2.BlobProto | None], shapes: Sequence[Shape]) -> str:
    """What is wrong with a layer of the file, as `file 32×3×5×5, net 64×3×5×5`; empty if it fits."""
    if len(blobs) != len(shapes):
        return f"file has {len(blobs)} blobs, net has {len(shapes)}"
    for index, (blob, shape) in enumerate(zip(blobs, shapes, strict=True)):
        if blob is not None and not blobproto.matches(blob, shape):
            which = f" (blob {index})" if index else ""
            return f"file {_by(blobproto.shape_of(blob))}, net {_by(shape)}{which}"
    return ""


def _by(shape: Shape) -> str:
    return "×".join(str(size) for size in shape) or "one number"
