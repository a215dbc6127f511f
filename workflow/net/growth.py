"""The classifying layer for changed classes: rows of known classes by name, and new rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workflow.errors import ModelError
from workflow.formats import caffe_pb2
from workflow.formats.blobproto import from_array, to_array
from workflow.words import named

Array = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Growth:
    """The classes that were kept, added or dropped when a run starts from other weights."""

    layer: str
    kept: tuple[str, ...]
    """Classes whose rows were taken over."""
    new: tuple[str, ...]
    """Classes whose rows come from the filler."""
    dropped: tuple[str, ...]
    """Classes whose rows were left out."""

    @property
    def words(self) -> str:
        """One line for people."""
        parts = [("kept", self.kept), ("new", self.new), ("dropped", self.dropped)]
        told = ", ".join(f"{what} {named(names, 8)}" for what, names in parts if names)
        return f"layer '{self.layer}': {told}"

    def json(self) -> dict[str, Any]:
        """For the record."""
        return {"layer": self.layer, "kept": list(self.kept), "new": list(self.new), "dropped": list(self.dropped)}


def plan(layer: str, before: Sequence[str], after: Sequence[str]) -> Growth:
    """Which rows are kept, new and dropped; rows are matched by the names of their classes."""
    return Growth(
        layer=layer,
        kept=tuple(name for name in after if name in before),
        new=tuple(name for name in after if name not in before),
        dropped=tuple(name for name in before if name not in after),
    )


def grow(
    weights: caffe_pb2.NetParameter,
    layer: str,
    *,
    before: Sequence[str],
    after: Sequence[str],
    filled: Sequence[Array],
    transposed: bool = False,
) -> caffe_pb2.NetParameter:
    """A copy of the weights whose classifying layer has a row for each of the new classes.

    Row k of weight and bias becomes that of the class that is number k now: the old class's of that name, or the
    filled one. Every other layer stays as it is, to the bit.

    Args:
        weights: a caffemodel, upgraded.
        layer: the classifying layer, InnerProduct or Convolution.
        before: the classes of the weights, in the order of their numbers.
        after: the classes now.
        filled: the layer's blobs as the fillers fill them: weight (len(after), ...), bias (len(after),) if it has one.
        transposed: whether the weight holds a column for each class, `inner_product_param { transpose: true }`.

    Raises:
        ModelError: C02, the layer has other blobs, another number of rows, or rows of another size.
    """
    result = caffe_pb2.NetParameter()
    result.CopyFrom(weights)
    for one in result.layer:
        if one.name == layer:
            blobs = []
            for blob, fresh in _pairs(one, filled):
                turned = transposed and fresh.ndim > 1
                old = _in_axes(to_array(blob), fresh.ndim)
                rows, new = (old.T, fresh.T) if turned else (old, fresh)
                grown = _rows(rows, new, layer, before, after)
                blobs.append(grown.T if turned else grown)
            del one.blobs[:]
            one.blobs.extend(from_array(blob) for blob in blobs)
            for kind in ("inner_product_param", "convolution_param"):
                if one.HasField(kind):
                    getattr(one, kind).num_output = len(after)
    return result


def _pairs(one: caffe_pb2.LayerParameter, filled: Sequence[Array]) -> list[tuple[caffe_pb2.BlobProto, Array]]:
    if len(one.blobs) != len(filled):
        raise ModelError(f"layer '{one.name}': file has {len(one.blobs)} blobs, net has {len(filled)}", fault="C02")
    return list(zip(one.blobs, filled, strict=True))


def _in_axes(array: Array, axes: int) -> Array:
    """Without the ones that files from before 2015 have in front."""
    while array.ndim > axes and array.shape[0] == 1:
        array = array[0]
    return array


def _rows(old: Array, fresh: Array, layer: str, before: Sequence[str], after: Sequence[str]) -> Array:
    if old.shape[1:] != fresh.shape[1:]:
        raise ModelError(
            f"layer '{layer}': a row of the file is {old.shape[1:]}, of the net {fresh.shape[1:]}",
            hint="use weights that were trained with this net",
            fault="C02",
        )
    if len(old) != len(before):
        raise ModelError(
            f"layer '{layer}' has {len(old)} rows for {len(before)} classes of its generation", fault="C02"
        )
    places = {name: place for place, name in enumerate(before)}
    result = fresh.copy()
    for place, name in enumerate(after):
        if name in places:
            result[place] = old[places[name]]
    return result
