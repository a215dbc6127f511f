"""`caffe.coord_map`: the pixel coordinates of one blob in another, for nets that crop blobs.

A map is `(axis, scale, shift)`: from `axis` on, pixel x of one blob is pixel `scale * x + shift` of the other. The axis
is None where all axes are left as they are. Source of the behaviour: python/caffe/coord_map.py of BVLC Caffe, with
Long and others: Fully convolutional networks for semantic segmentation (arXiv 1411.4038).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workflow.errors import NetError
from workflow.pycaffe.net_spec import Function, Top, layers

Numbers = NDArray[Any]
Map = tuple[int | None, Numbers, Numbers]

_SAME: Map = (None, np.array(1), np.array(0))
_POINTWISE = frozenset(
    (
        "AbsVal",
        "BatchNorm",
        "Bias",
        "BNLL",
        "Dropout",
        "Eltwise",
        "ELU",
        "Exp",
        "Log",
        "LRN",
        "MVN",
        "Power",
        "PReLU",
        "ReLU",
        "Scale",
        "Sigmoid",
        "Split",
        "TanH",
        "Threshold",
    )
)


class UndefinedMapException(NetError):
    """A layer whose tops have no pixels that belong to its bottoms'."""


class AxisMismatchException(NetError):
    """Two maps of different axes that should follow each other."""


class NotConnected(NetError, RuntimeError):
    """Two blobs without a common source; pycaffe raises RuntimeError."""


class CropImpossible(NetError, AssertionError):
    """A crop that would need another scale, a border, or half a pixel: pycaffe asserts that it does not."""


def crop(top_from: Top, top_to: Top) -> Top:
    """A Crop layer that cuts the first blob to the frame of the second.

    Raises:
        CropImpossible: the two differ in scale, or the offset is negative or no whole number.
        NotConnected, AxisMismatchException: as `coord_map_from_to`.
    """
    axis, scale, shift = coord_map_from_to(top_from, top_to)
    if (scale != 1).any():
        raise CropImpossible(f"scale mismatch on crop (a = {scale}), expected 1")
    if (shift > 0).any():
        raise CropImpossible(f"cannot crop negative offset (b = {shift})")
    if (shift != np.round(shift)).any():
        raise CropImpossible(f"cannot crop noninteger offset (b = {shift})")
    offset = [int(-one) for one in np.atleast_1d(shift)]
    cut: Top = layers.Crop(top_from, top_to, crop_param={"axis": 2 if axis is None else axis + 1, "offset": offset})
    return cut


def coord_map_from_to(top_from: Top, top_to: Top) -> Map:
    """The map from pixels of the first blob to those of the second, by way of a blob that both are made of.

    Raises:
        NotConnected: there is none.
        AxisMismatchException: layers on the way work on different axes.
    """
    sources = dict(_sources(top_from))
    for top, there in _sources(top_to):
        if top in sources:
            return compose(there, inverse(sources[top]))
    raise NotConnected("Could not compute map between tops; are they connected by spatial layers?")


def _sources(end: Top) -> Iterator[tuple[Top, Map]]:
    """A blob and all blobs that it is computed from pixel by pixel, each with the map from its pixels to the blob's."""
    maps = {end: _SAME}
    queue = deque([end])
    while queue:
        top = queue.popleft()
        yield top, maps[top]
        try:
            step = coord_map(top.fn)
        except UndefinedMapException:
            continue
        # only the size of a Crop's second bottom matters
        for bottom in top.fn.inputs[:1] if top.fn.type_name == "Crop" else top.fn.inputs:
            if bottom not in maps:
                maps[bottom] = compose(maps[top], step)
                queue.append(bottom)


def coord_map(fn: Function) -> Map:
    """The map from pixels of a layer's bottoms to those of its tops.

    Raises:
        UndefinedMapException: there is none for this type of layer.
        CropImpossible: its window is given by `_h` and `_w`.
    """
    match fn.type_name:
        case "Convolution" | "Pooling" | "Im2col":
            axis, stride, kernel, pad = conv_params(fn)
            return axis, 1 / stride, (pad - (kernel - 1) / 2) / stride
        case "Deconvolution":
            axis, stride, kernel, pad = conv_params(fn)
            return axis, stride, (kernel - 1) / 2 - pad
        case "Crop":
            axis, offset = crop_params(fn)
            return axis - 1, np.array(1), -offset
        case kind if kind in _POINTWISE:
            return _SAME
        case kind:
            raise UndefinedMapException(f"pixels of a {kind} layer's tops belong to none of its bottoms")


def conv_params(fn: Function) -> tuple[int, Numbers, Numbers, Numbers]:
    """Axis, stride, extent of the window and pad of a layer that has a window."""
    given = fn.params.get("convolution_param", fn.params)
    if "kernel_size" not in given or any(name.endswith(("_h", "_w")) for name in given):
        raise CropImpossible(
            f"cropping needs the kernel_size of a {fn.type_name}, and stride and pad without _h and _w"
        )
    kernel, dilation, stride, pad = (
        np.atleast_1d(given.get(name, default))
        for name, default in (("kernel_size", 1), ("dilation", 1), ("stride", 1), ("pad", 0))
    )
    return given.get("axis", 1), stride, (kernel - 1) * dilation + 1, pad


def crop_params(fn: Function) -> tuple[int, Numbers]:
    """First axis and offset of a Crop layer."""
    given = fn.params.get("crop_param", fn.params)
    return given.get("axis", 2), np.atleast_1d(given.get("offset", 0))


def compose(base_map: Map, next_map: Map) -> Map:
    """First `next_map`, then `base_map`.

    Raises:
        AxisMismatchException: they work on different axes.
    """
    (base_axis, base_scale, base_shift), (axis, scale, shift) = base_map, next_map
    if base_axis is not None and axis is not None and base_axis != axis:
        raise AxisMismatchException(f"maps of axes {base_axis} and {axis}, expected one axis")
    return axis if base_axis is None else base_axis, base_scale * scale, base_scale * shift + base_shift


def inverse(coord_map: Map) -> Map:
    """The inverse map."""
    axis, scale, shift = coord_map
    return axis, 1 / scale, -shift / scale
