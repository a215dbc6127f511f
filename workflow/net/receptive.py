"""Receptive fields: the part of the input that an output depends on, from the geometry of the layers.

Worked out backwards, layer by layer, for one place: through the windows of convolution and pooling as far as they lie
on the blob that they slide over, through other layers place by place or, where one mixes places in a way of its own,
to the whole blob.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from workflow.formats import caffe_pb2
from workflow.net.spec import LayerSpec
from workflow.net.windows import Window, convolution_window, pooling_window

Shape = tuple[int, ...]
Places = tuple[set[int], set[int]]
"""Rows and columns of a map; every layer that slides treats the two apart."""

_BY_PLACE = frozenset(
    {
        "AbsVal",
        "Axpy",
        "BatchNorm",
        "Bias",
        "BNLL",
        "Clip",
        "Concat",
        "Dropout",
        "Eltwise",
        "ELU",
        "Exp",
        "Log",
        "LRN",
        "Power",
        "PReLU",
        "ReLU",
        "ReLU6",
        "Scale",
        "ShuffleChannel",
        "Sigmoid",
        "Slice",
        "Softmax",
        "Split",
        "Swish",
        "TanH",
        "Threshold",
    }
)
"""Types whose tops depend, at each place, on that place of their bottoms alone; what they mix are channels."""


@dataclass(frozen=True)
class Box:
    """Places of a map: rows `top` to `bottom` - 1, columns `left` to `right` - 1."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def height(self) -> int:
        """Rows."""
        return self.bottom - self.top

    @property
    def width(self) -> int:
        """Columns."""
        return self.right - self.left

    @property
    def slices(self) -> tuple[slice, slice]:
        """Of an array's last two axes."""
        return slice(self.top, self.bottom), slice(self.left, self.right)


class ReceptiveFields:
    """Of the blobs of one net, in the coordinates of its input blob."""

    def __init__(self, layers: Sequence[LayerSpec], shapes: Mapping[str, Shape]) -> None:
        """Nothing is computed yet.

        Args:
            layers: of a built net, in order.
            shapes: blob -> its shape, also of those that Split layers make.
        """
        self._layers = layers
        self._shapes = shapes

    def of(self, blob: str, row: int, column: int) -> Box | None:
        """The part of the input that one place of a blob (N, C, H, W) sees; None for a window of only padding.

        Several inputs are treated as one picture.
        """
        rows, columns = self._back(blob, len(self._layers), ({row}, {column}))
        if not rows or not columns:
            return None
        return Box(min(rows), min(columns), max(rows) + 1, max(columns) + 1)

    def _back(self, blob: str, before: int, places: Places) -> Places:
        """The part of the input that places of a blob see, as the layers before `layer` leave it."""
        index = next(index for index in range(before - 1, -1, -1) if blob in self._layers[index].tops)
        layer = self._layers[index]
        if not layer.bottoms:
            return places
        found: Places = (set(), set())
        for bottom in layer.bottoms:
            seen = self._seen(layer, blob, bottom, places)
            if all(seen):
                for axis, more in zip(found, self._back(bottom, index, seen), strict=True):
                    axis |= more
        return found

    def _seen(self, layer: LayerSpec, top: str, bottom: str, places: Places) -> Places:
        """The places of a bottom on which places of a top depend."""
        shape, message = self._shapes[bottom], layer.message
        size = (shape[2], shape[3]) if len(shape) == 4 else (1, 1)
        whole = set(range(size[0])), set(range(size[1]))
        if len(shape) != 4 or len(self._shapes[top]) != 4:
            return whole
        if layer.type in ("Convolution", "Im2col"):
            return _both(_under, convolution_window(message), places, size)
        if layer.type == "Pooling":
            return _both(_under, pooling_window(message, size), places, size)
        if layer.type == "Deconvolution":
            return _both(_above, convolution_window(message), places, size)
        if layer.type == "LRN" and message.lrn_param.norm_region == caffe_pb2.LRNParameter.WITHIN_CHANNEL:
            around, side = (message.lrn_param.local_size - 1) // 2, message.lrn_param.local_size
            return _both(_under, Window(kernel=(side, side), pad=(around, around)), places, size)
        if layer.type in _BY_PLACE and shape[2:] == self._shapes[top][2:]:
            return places
        return whole


def _under(window: Window, axis: int, places: set[int], length: int) -> set[int]:
    """The places that sliding windows at these places touch; strides and dilation may skip some."""
    return {
        place * window.stride[axis] - window.pad[axis] + tap * window.dilation[axis]
        for place in places
        for tap in range(window.kernel[axis])
    } & set(range(length))


def _above(window: Window, axis: int, places: set[int], length: int) -> set[int]:
    """The places whose windows, written by a deconvolution, touch these."""
    return {place for place in range(length) if not places.isdisjoint(_under(window, axis, {place}, max(places) + 1))}


def _both(
    one: Callable[[Window, int, set[int], int], set[int]], window: Window, places: Places, size: tuple[int, int]
) -> Places:
    return one(window, 0, places[0], size[0]), one(window, 1, places[1], size[1])
