from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from workflow.errors import NetError

FLOAT_MAX = np.finfo(np.float32).max


def naive(x, average, kernel, stride, pad, ceil=True):
    """Caffe's pooling as loops: sizes, clipping and divisor as pooling_layer.cpp has them."""
    n, c, *size = x.shape
    out = []
    for axis in (0, 1):
        steps = (size[axis] + 2 * pad[axis] - kernel[axis]) / stride[axis]
        count = (math.ceil(steps) if ceil else math.floor(steps)) + 1
        if any(pad) and (count - 1) * stride[axis] >= size[axis] + pad[axis]:
            count -= 1
        out.append(count)
    y = np.zeros((n, c, *out), np.float32)
    where = -np.ones((n, c, *out), np.float32)
    for item, channel, i, j in itertools.product(range(n), range(c), range(out[0]), range(out[1])):
        top, left = i * stride[0] - pad[0], j * stride[1] - pad[1]
        bottom, right = min(top + kernel[0], size[0] + pad[0]), min(left + kernel[1], size[1] + pad[1])
        best = -FLOAT_MAX
        for a, b in itertools.product(
            range(max(top, 0), min(bottom, size[0])), range(max(left, 0), min(right, size[1]))
        ):
            value = x[item, channel, a, b]
            if average:
                y[item, channel, i, j] += value / ((bottom - top) * (right - left))
            elif value > best:
                best, where[item, channel, i, j] = value, a * size[1] + b
        if not average:
            y[item, channel, i, j] = best
    return y, where


def text(pool, kernel, stride, pad, tops='top: "y"', more=""):
    return f"""type: "Pooling" {tops} pooling_param {{ pool: {pool}
      kernel_h: {kernel[0]} kernel_w: {kernel[1]} stride_h: {stride[0]} stride_w: {stride[1]}
      pad_h: {pad[0]} pad_w: {pad[1]} {more} }}"""


GEOMETRIES = [
    ((3, 3), (2, 2), (0, 0)),
    ((3, 2), (2, 1), (1, 0)),
    ((2, 3), (3, 2), (1, 2)),
    ((3, 3), (2, 2), (2, 2)),  # padding beyond half the window
    ((1, 1), (3, 3), (0, 0)),  # the last window begins outside in one direction
    ((2, 1), (4, 3), (0, 0)),  # a window wholly outside
]


@pytest.mark.parametrize(("kernel", "stride", "pad"), GEOMETRIES)
@pytest.mark.parametrize("pool", ["MAX", "AVE"])
@pytest.mark.parametrize("mode", ["CEIL", "FLOOR"])
def test_every_geometry_as_the_loops_have_it(one_layer, x, pool, kernel, stride, pad, mode):
    y = one_layer(text(pool, kernel, stride, pad, more=f"round_mode: {mode}"), x)["y"]
    expected, _ = naive(x, pool == "AVE", kernel, stride, pad, mode == "CEIL")
    assert y.shape == expected.shape
    np.testing.assert_allclose(y, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(("kernel", "stride", "pad"), GEOMETRIES)
def test_second_top_says_where_the_maxima_were(one_layer, x, kernel, stride, pad):
    x = np.round(x)  # many ties: the first in row-major order wins
    blobs = one_layer(text("MAX", kernel, stride, pad, tops='top: "y" top: "where"'), x)
    y, where = naive(x, False, kernel, stride, pad)
    np.testing.assert_array_equal(blobs["y"], y)
    np.testing.assert_array_equal(blobs["where"], where)


def test_nan_never_wins(one_layer):
    x = np.full((1, 1, 2, 4), np.nan, np.float32)
    x[0, 0, 1, 0] = -3
    blobs = one_layer(text("MAX", (2, 2), (2, 2), (0, 0), tops='top: "y" top: "where"'), x)
    np.testing.assert_array_equal(blobs["y"], np.array([[[[-3, -FLOAT_MAX]]]], np.float32))
    np.testing.assert_array_equal(blobs["where"], [[[[4, -1]]]])


@pytest.mark.parametrize(("pool", "reduce"), [("AVE", np.mean), ("MAX", np.max)])
def test_global_pooling_takes_the_whole_picture(one_layer, x, pool, reduce):
    y = one_layer(f'type: "Pooling" top: "y" pooling_param {{ pool: {pool} global_pooling: true }}', x)["y"]
    np.testing.assert_allclose(y, reduce(x, axis=(2, 3), keepdims=True), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("param", "words"),
    [
        ("pool: STOCHASTIC kernel_size: 2", "STOCHASTIC"),
        ("kernel_size: 2 pad: 2", "pad .2, 2., expected less than the kernel"),
        ("stride: 2", "0 kernel sizes"),
        ("kernel_size: 2 global_pooling: true", "takes no kernel size"),
        ("kernel_size: 9", "smaller than the window"),
    ],
)
def test_settings_that_cannot_be(one_layer, x, param, words):
    with pytest.raises(NetError, match=words):
        one_layer(f'type: "Pooling" top: "y" pooling_param {{ {param} }}', x)


def test_pooling_takes_pictures_only(one_layer, rng):
    with pytest.raises(NetError, match=r"expected \(N, C, H, W\)"):
        one_layer('type: "Pooling" top: "y" pooling_param { kernel_size: 1 }', rng.normal(size=(2, 3)).astype("f"))


def test_places_of_averages_there_are_none(one_layer, x):
    with pytest.raises(NetError, match="AVE has none"):
        one_layer(text("AVE", (2, 2), (1, 1), (0, 0), tops='top: "y" top: "where"'), x)
