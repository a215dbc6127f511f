"""Pooling, MAX and AVE."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workflow.engines.base import Array, Shape
from workflow.engines.numpy_cpu.layers.base import Layer, layer
from workflow.formats import caffe_pb2
from workflow.net.spec import LayerSpec
from workflow.net.windows import Pair, Window, pooling_window

_FLOAT_MAX = float(np.finfo(np.float32).max)


@layer("Pooling", bottoms=1, tops=(1, 2))
class Pooling(Layer):
    """The maximum or the average of each window, one channel at a time.

    bottom[0]  x  (N, C, H, W)    float32
    top[0]     y  (N, C, H', W')  H' = ceil((H + 2 pad - kernel) / stride) + 1, or floor with `round_mode: FLOOR`
    top[1]     MAX only: where the maximum was, as h W + w; -1 where the window held nothing to choose

    AVE divides by the part of the window inside the padded picture: padding counts, what hangs over does not; a window
    wholly outside gives -0, or NaN if it begins right behind the picture.
    MAX takes the first maximum in row-major order; padding never wins, and NaN neither: a window of nothing else
    gives -FLT_MAX. Source: src/caffe/layers/pooling_layer.cpp. STOCHASTIC has no CPU form in Caffe and none here.
    """

    def __init__(self, spec: LayerSpec, folder: Path) -> None:
        super().__init__(spec, folder)
        self.param = self.message.pooling_param
        self.ceil = self.param.round_mode == caffe_pb2.PoolingParameter.CEIL
        if self.param.pool == caffe_pb2.PoolingParameter.STOCHASTIC:
            raise self.fail("pool STOCHASTIC does not run on a CPU, in Caffe neither; expected MAX or AVE")
        self.average = self.param.pool == caffe_pb2.PoolingParameter.AVE
        if self.average and len(spec.tops) > 1:
            raise self.fail("a second top holds the places of maxima; AVE has none")

    def top_shapes(self, *bottoms: Shape) -> list[Shape]:
        shape = bottoms[0]
        if len(shape) != 4:
            raise self.fail(f"bottom of shape {shape}, expected (N, C, H, W)")
        size = (shape[2], shape[3])
        window = pooling_window(self.message, size)
        out = window.pooled(size, ceil=self.ceil)
        if min(out) < 1:
            raise self.fail(f"bottom of shape {shape} is smaller than the window {window.kernel}")
        return [(shape[0], shape[1], *out)] * len(self.spec.tops)

    def forward(self, x: Array) -> list[Array]:
        window = pooling_window(self.message, (x.shape[2], x.shape[3]))
        out = window.pooled((x.shape[2], x.shape[3]), ceil=self.ceil)
        if self.average:
            with np.errstate(invalid="ignore", divide="ignore"):  # a window that begins right behind the picture
                return [_sums(x, window, out) / _areas(x, window, out)]
        if len(self.spec.tops) == 1:
            return [_maxima(x, window, out)]
        return list(_maxima_and_places(x, window, out))


def window_sums(x: Array, window: Window) -> Array:
    """Sums of x (N, C, H, W) over windows of stride 1, zeros outside; of x's shape if the padding allows it."""
    return _sums(x, window, window.pooled((x.shape[2], x.shape[3])))


def _maxima(x: Array, window: Window, out: Pair) -> Array:
    y = np.full((*x.shape[:2], *out), -_FLOAT_MAX, np.float32)
    for _, _, values in _offsets(x, window, out, -_FLOAT_MAX):
        np.fmax(y, values, out=y)  # fmax and not maximum: NaN never wins
    return y


def _maxima_and_places(x: Array, window: Window, out: Pair) -> tuple[Array, Array]:
    y = np.full((*x.shape[:2], *out), -_FLOAT_MAX, np.float32)
    places = np.full(y.shape, -1, np.float32)
    rows = np.arange(out[0])[:, None] * window.stride[0] - window.pad[0]
    columns = np.arange(out[1])[None, :] * window.stride[1] - window.pad[1]
    for row, column, values in _offsets(x, window, out, -_FLOAT_MAX):
        better = values > y
        place = ((rows + row) * x.shape[3] + columns + column).astype(np.float32)
        np.copyto(y, values, where=better)
        np.copyto(places, place, where=better)
    return y, places


def _sums(x: Array, window: Window, out: Pair) -> Array:
    y = np.zeros((*x.shape[:2], *out), np.float32)
    for _, _, values in _offsets(x, window, out, 0.0):
        y += values
    return y


def _offsets(x: Array, window: Window, out: Pair, border: float) -> Iterator[tuple[int, int, Array]]:
    """For each place within the window, row by row: the values that all windows have there, `border` outside."""
    ends = [
        max(0, (out[axis] - 1) * window.stride[axis] + window.kernel[axis] - window.pad[axis] - x.shape[2 + axis])
        for axis in (0, 1)
    ]
    margins = ((0, 0), (0, 0), (window.pad[0], ends[0]), (window.pad[1], ends[1]))
    padded = np.pad(x, margins, constant_values=border) if any(map(any, margins)) else x
    (down, across), (height, width) = window.stride, out
    for row in range(window.kernel[0]):
        for column in range(window.kernel[1]):
            rows = slice(row, row + down * (height - 1) + 1, down)
            columns = slice(column, column + across * (width - 1) + 1, across)
            yield row, column, padded[:, :, rows, columns]


def _areas(x: Array, window: Window, out: Pair) -> Array:
    """The number of padded positions in each window, (H', W'); below 1 if it is completely outside."""
    rows, columns = (_counts(window, axis, x.shape[2 + axis], out[axis]) for axis in (0, 1))
    areas: Array = (rows[:, None] * columns[None, :]).astype(np.float32)
    return areas


def _counts(window: Window, axis: int, length: int, out: int) -> NDArray[np.intp]:
    start = np.arange(out) * window.stride[axis] - window.pad[axis]
    return np.minimum(start + window.kernel[axis], length + window.pad[axis]) - start
