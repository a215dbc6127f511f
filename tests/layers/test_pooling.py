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
    where = -np.ones((n, c, *out))
    for item, channel, i, j in itertools.product(range(n), range(c), range(out[0]), range(out[1])):
        top, left = i * stride[0] - pad[0], j * stride[1] - pad[1]
        bottom, right = min(top + kernel[0], size[0] + pad[0]), min(left + kernel[1], size[1] + pad[1])
        places = [
            (a, b) for a in range(max(top, 0), min(bottom, size[0])) for b in range(max(left, 0), min(right, size[1]))
        ]
        values = [x[item, channel, a, b] for a, b in places]
        if average:
            y[item, channel, i, j] = sum(values) / ((bottom - top) * (right - left)) if values else 0
        else:
            y[item, channel, i, j] = max(values, default=-FLOAT_MAX)
            if values:
                a, b = places[int(np.argmax(values))]
                where[item, channel, i, j] = a * size[1] + b
    return y, where


def text(pool, kernel, stride, pad, tops='top: "y"', more=""):
    return f"""name: "pool" type: "Pooling" bottom: "x" {tops} pooling_param {{ pool: {pool}
      kernel_h: {kernel[0]} kernel_w: {kernel[1]} stride_h: {stride[0]} stride_w: {stride[1]}
      pad_h: {pad[0]} pad_w: {pad[1]} {more} }}"""


GEOMETRIES = [
    ((3, 3), (2, 2), (0, 0)),
    ((3, 2), (2, 1), (1, 0)),
    ((2, 3), (3, 2), (1, 2)),
    ((3, 3), (2, 2), (2, 2)),  # padding beyond half the window: torch refuses it
    ((1, 1), (3, 3), (0, 0)),  # the last window begins outside where 7 = 2 * 3 + 1 does not
    ((2, 1), (4, 3), (0, 0)),  # a window wholly outside
]


@pytest.mark.parametrize(("kernel", "stride", "pad"), GEOMETRIES)
@pytest.mark.parametrize("pool", ["MAX", "AVE"])
@pytest.mark.parametrize("mode", ["CEIL", "FLOOR"])
def test_every_geometry_as_the_loops_have_it(one_layer, x, pool, kernel, stride, pad, mode):
    y = one_layer(text(pool, kernel, stride, pad, more=f"round_mode: {mode}"), x).tops[0]
    expected, _ = naive(x, pool == "AVE", kernel, stride, pad, mode == "CEIL")
    assert y.shape == expected.shape
    np.testing.assert_allclose(y, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(("kernel", "stride", "pad"), GEOMETRIES)
def test_second_top_says_where_the_maxima_were(one_layer, x, kernel, stride, pad):
    _, where = one_layer(text("MAX", kernel, stride, pad, tops='top: "y" top: "where"'), x).tops
    np.testing.assert_array_equal(where, naive(x, False, kernel, stride, pad)[1])


def test_the_first_of_equal_maxima_gets_the_gradient(one_layer):
    x = np.ones((1, 1, 2, 2), np.float32)
    applied = one_layer(text("MAX", (2, 2), (1, 1), (0, 0)), x, top_diffs=[np.ones((1, 1, 1, 1), np.float32)])
    np.testing.assert_array_equal(applied.bottom_diffs[0], [[[[1, 0], [0, 0]]]])


def test_global_pooling_takes_the_whole_picture(one_layer, x):
    param = 'name: "p" type: "Pooling" bottom: "x" top: "y" pooling_param { pool: AVE global_pooling: true }'
    np.testing.assert_allclose(one_layer(param, x).tops[0], x.mean(axis=(2, 3), keepdims=True), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("param", "words"),
    [
        ("pool: STOCHASTIC kernel_size: 2", "STOCHASTIC"),
        ("kernel_size: 2 pad: 2", "pad .2, 2., expected less than the kernel"),
        ("stride: 2", "0 kernel sizes"),
        ("kernel_size: 2 global_pooling: true", "takes no kernel size"),
    ],
)
def test_settings_that_cannot_be(one_layer, x, param, words):
    with pytest.raises(NetError, match=words):
        one_layer(f'name: "p" type: "Pooling" bottom: "x" top: "y" pooling_param {{ {param} }}', x)
