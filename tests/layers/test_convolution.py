from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from one_layer import make

from workflow.errors import NetError


def naive(x, weight, bias, stride, pad, dilation, group):
    """Caffe's convolution as six loops, straight from its definition."""
    n, c, h, w = x.shape
    outputs, per_group, kh, kw = weight.shape
    padded = np.zeros((n, c, h + 2 * pad[0], w + 2 * pad[1]))
    padded[:, :, pad[0] : pad[0] + h, pad[1] : pad[1] + w] = x
    height = (padded.shape[2] - dilation[0] * (kh - 1) - 1) // stride[0] + 1
    width = (padded.shape[3] - dilation[1] * (kw - 1) - 1) // stride[1] + 1
    y = np.zeros((n, outputs, height, width))
    for item, o, i, j in itertools.product(range(n), range(outputs), range(height), range(width)):
        first = o // (outputs // group) * per_group
        for channel, a, b in itertools.product(range(per_group), range(kh), range(kw)):
            pixel = padded[item, first + channel, i * stride[0] + a * dilation[0], j * stride[1] + b * dilation[1]]
            y[item, o, i, j] += pixel * weight[o, channel, a, b]
        y[item, o, i, j] += bias[o]
    return y


TEXT = """
name: "conv" type: "Convolution" bottom: "x" top: "y"
convolution_param { num_output: 6 group: 3 kernel_h: 3 kernel_w: 2 stride_h: 2 stride_w: 1 pad_h: 1 pad_w: 0
  dilation: 1 dilation: 2 }
"""


def test_groups_dilation_and_unequal_sides(one_layer, x):
    rng = np.random.default_rng(2)
    weight, bias = rng.normal(size=(6, 1, 3, 2)).astype("f"), rng.normal(size=6).astype("f")
    y = one_layer(TEXT, x, blobs=[weight, bias]).tops[0]
    np.testing.assert_allclose(y, naive(x, weight, bias, (2, 1), (1, 0), (1, 2), 3), rtol=1e-5, atol=1e-5)


def test_several_bottoms_share_the_windows(one_layer, x):
    text = """name: "c" type: "Convolution" bottom: "a" bottom: "b" top: "p" top: "q"
    convolution_param { num_output: 2 kernel_size: 3 bias_term: false }"""
    weight = np.random.default_rng(3).normal(size=(2, 3, 3, 3)).astype("f")
    first, second = one_layer(text, x, 2 * x, blobs=[weight]).tops
    np.testing.assert_allclose(2 * first, second, rtol=1e-5, atol=1e-5)
    with pytest.raises(NetError, match=r"shapes \(2, 3, 7, 5\), \(2, 3, 6, 5\), expected equal ones"):
        one_layer(text, x, x[:, :, 1:], blobs=[weight])


@pytest.mark.parametrize("kind", ["Convolution", "Deconvolution"])
def test_pad_of_one_side_leaves_the_other_at_0(one_layer, x, kind):
    text = f'name: "c" type: "{kind}" bottom: "x" top: "y" convolution_param {{ num_output: 3 kernel_size: 3 %s }}'
    weight, bias = np.random.default_rng(3).normal(size=(3, 3, 3, 3)).astype("f"), np.zeros(3, np.float32)
    for one, both in (("pad_h: 1", "pad_h: 1 pad_w: 0"), ("pad_w: 2", "pad_h: 0 pad_w: 2")):
        y, expected = (one_layer(text % param, x, blobs=[weight, bias]).tops[0] for param in (one, both))
        np.testing.assert_array_equal(y, expected)


@pytest.mark.parametrize(
    ("shape", "kernel", "stride", "pad", "dilation"),
    [
        ((3, 1, 13, 4), (3, 3), (1, 3), (2, 0), (1, 1)),  # one channel, and a top one column wide
        ((3, 17, 3, 1), (3, 2), (2, 2), (1, 3), (2, 2)),  # one column, and windows wholly in the padding
    ],
)
def test_what_pytorch_cannot_convolve_channels_last(shape, kernel, stride, pad, dilation):
    rng = np.random.default_rng(4)
    x, weight, bias = rng.normal(size=shape), rng.normal(size=(20, shape[1], *kernel)), rng.normal(size=20)
    fields = {"kernel": kernel, "stride": stride, "pad": pad}
    sides = " ".join(f"{name}_h: {down} {name}_w: {across}" for name, (down, across) in fields.items())
    layer = make(
        f"""name: "c" type: "Convolution" bottom: "x" top: "y"
        convolution_param {{ num_output: 20 {sides} dilation: {dilation[0]} }}"""
    )
    layer.param_blobs(x.shape)
    given, learned = (torch.tensor(one).float().to(memory_format=torch.channels_last) for one in (x, weight))
    layer.blobs = [learned, torch.tensor(bias).float()]
    (y,) = layer.forward(given)
    np.testing.assert_allclose(y, naive(x, weight, bias, stride, pad, dilation, 1), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", ["Convolution", "Deconvolution"])
@pytest.mark.parametrize("channels", [2, 5])
def test_channels_that_do_not_suit_the_weights(kind, channels):
    layer = make(
        f'name: "c" type: "{kind}" bottom: "x" top: "y" convolution_param {{ num_output: 4 kernel_size: 1 group: 2 }}'
    )
    layer.blobs = [torch.zeros(blob.shape) for blob in layer.param_blobs((1, 4, 2, 2))]
    with pytest.raises(NetError, match=rf"shape \(1, {channels}, 2, 2\) does not suit weights of shape"):
        layer.forward(torch.zeros(1, channels, 2, 2))


@pytest.mark.parametrize(
    ("param", "words"),
    [
        ("kernel_size: 3", "num_output=0"),
        ("num_output: 4 kernel_size: 3 group: 2", "group 2 does not divide 3 channels"),
        ("num_output: 4", "0 kernel sizes"),
        ("num_output: 4 kernel_size: 0", "kernel .0, 0., expected at least 1"),
        ("num_output: 4 kernel_size: 9", "smaller than the window"),
        ("num_output: 4 kernel_size: 3 kernel_h: 2", "kernel once, or both"),
        ("num_output: 4 kernel_size: 3 stride_h: 2", "stride once, or both"),
    ],
)
def test_settings_that_cannot_be(one_layer, x, param, words):
    with pytest.raises(NetError, match=words):
        one_layer(f'name: "c" type: "Convolution" bottom: "x" top: "y" convolution_param {{ {param} }}', x)
