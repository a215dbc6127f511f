from __future__ import annotations

import itertools

import numpy as np
import pytest

from workflow.engines.numpy_cpu.layers import convolution
from workflow.errors import NetError


def naive(x, weights, bias, stride, pad, dilation, group):
    """Loops over every output and every place of the window."""
    n, c, h, w = x.shape
    o, per_group, kh, kw = weights.shape
    out = [
        (size + 2 * p - (d * (k - 1) + 1)) // s + 1
        for size, k, s, p, d in zip((h, w), (kh, kw), stride, pad, dilation, strict=True)
    ]
    y = np.zeros((n, o, *out))
    for item, channel, i, j in itertools.product(range(n), range(o), *map(range, out)):
        first = channel // (o // group) * (c // group)
        for k, a, b in itertools.product(range(per_group), range(kh), range(kw)):
            row, column = i * stride[0] - pad[0] + a * dilation[0], j * stride[1] - pad[1] + b * dilation[1]
            if 0 <= row < h and 0 <= column < w:
                y[item, channel, i, j] += x[item, first + k, row, column] * weights[channel, k, a, b]
        y[item, channel, i, j] += bias[channel]
    return y


CASES = [
    # kernel, stride, pad, dilation, group
    ((3, 2), (2, 1), (1, 0), (1, 1), 1),
    ((3, 2), (1, 2), (0, 2), (2, 1), 3),
    ((1, 1), (1, 1), (0, 0), (1, 1), 1),
    ((2, 4), (3, 1), (2, 1), (1, 1), 3),
    ((7, 5), (1, 1), (0, 0), (1, 1), 1),
]


def text(kernel, stride, pad, dilation, group, more=""):
    sizes = "" if dilation == (1, 1) else f"dilation: {dilation[0]} dilation: {dilation[1]}"
    return f"""type: "Convolution" top: "y" convolution_param {{ num_output: 6 group: {group} {sizes} {more}
      kernel_h: {kernel[0]} kernel_w: {kernel[1]} stride_h: {stride[0]} stride_w: {stride[1]}
      pad_h: {pad[0]} pad_w: {pad[1]} }}"""


@pytest.mark.parametrize("columns", [1, 500, 2**20], ids=["item by item", "few at a time", "all at once"])
@pytest.mark.parametrize(("kernel", "stride", "pad", "dilation", "group"), CASES)
def test_every_geometry_as_the_loops_have_it(
    one_layer, x, rng, monkeypatch, columns, kernel, stride, pad, dilation, group
):
    monkeypatch.setattr(convolution, "_COLUMNS", columns)
    weights = rng.normal(size=(6, 3 // group, *kernel)).astype(np.float32)
    bias = rng.normal(size=6).astype(np.float32)
    y = one_layer(text(kernel, stride, pad, dilation, group), x, blobs=[weights, bias])["y"]
    expected = naive(x, weights, bias, stride, pad, dilation, group)
    assert y.shape == expected.shape
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-5)


def test_without_bias_and_with_two_bottoms(one_layer, x, rng):
    weights = rng.normal(size=(4, 3, 3, 3)).astype(np.float32)
    body = 'type: "Convolution" top: "y" top: "z" convolution_param { num_output: 4 kernel_size: 3 bias_term: false }'
    other = rng.normal(size=x.shape).astype(np.float32)
    blobs = one_layer(body, x, other, blobs=[weights])
    for bottom, top in ((x, "y"), (other, "z")):
        expected = naive(bottom, weights, np.zeros(4), (1, 1), (0, 0), (1, 1), 1)
        np.testing.assert_allclose(blobs[top], expected, rtol=1e-5, atol=1e-5)
    with pytest.raises(NetError, match="expected equal ones"):
        one_layer(body, x, other[:1], blobs=[weights])


def test_a_window_larger_than_the_picture_by_less_than_its_stride(one_layer, rng):
    """It has one place, since C's division truncates; zeros lie behind the picture."""
    x, weights = rng.normal(size=(2, 3, 4, 6)).astype(np.float32), rng.normal(size=(6, 3, 5, 5)).astype(np.float32)
    body = 'type: "Convolution" top: "y" convolution_param { num_output: 6 kernel_size: 5 stride: 2 bias_term: false }'
    y = one_layer(body, x, blobs=[weights])["y"]
    padded = np.pad(x, ((0, 0), (0, 0), (0, 1), (0, 0)))
    np.testing.assert_allclose(y, naive(padded, weights, np.zeros(6), (2, 2), (0, 0), (1, 1), 1), rtol=1e-5, atol=1e-5)


def test_other_axes_and_fewer_of_them(one_layer, x, rng):
    """Over one axis, with the channels on the last but one: as if there were a second axis of size 1."""
    weights, bias = rng.normal(size=(6, 7, 3)).astype(np.float32), rng.normal(size=6).astype(np.float32)
    body = 'type: "Convolution" top: "y" convolution_param { num_output: 6 kernel_size: 3 stride: 2 pad: 1 axis: -2 }'
    y = one_layer(body, x, blobs=[weights, bias])["y"]
    flat = naive(x.reshape(6, 7, 5, 1), weights[..., None], bias, (2, 1), (1, 0), (1, 1), 1)
    np.testing.assert_allclose(y, flat.reshape(2, 3, 6, 3), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("param", "words"),
    [
        ("num_output: 4 kernel_size: 3 group: 2", "group 2 does not divide 3 channels"),
        ("num_output: 4 kernel_size: 9", "smaller than the window"),
        ("kernel_size: 3", "num_output=0"),
        ("num_output: 4 kernel_size: 3 axis: 3", "no axes behind axis 3"),
    ],
)
def test_settings_that_cannot_be(one_layer, x, param, words):
    with pytest.raises(NetError, match=words):
        one_layer(f'type: "Convolution" top: "y" convolution_param {{ {param} }}', x)
