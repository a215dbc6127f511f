from __future__ import annotations

import math

import numpy as np
import pytest

from workflow.errors import NetError


def each(function, x):
    return np.array([function(float(value)) for value in x.ravel()]).reshape(x.shape)


CASES = {
    'type: "ReLU"': lambda v: max(v, 0.0),
    'type: "ReLU" relu_param { negative_slope: 0.2 }': lambda v: v if v > 0 else 0.2 * v,
    'type: "Sigmoid"': lambda v: 1 / (1 + math.exp(-v)),
    'type: "TanH"': math.tanh,
    'type: "Power"': lambda v: v,
    'type: "Power" power_param { power: 2 scale: 3 shift: -1 }': lambda v: (3 * v - 1) ** 2,
    'type: "Power" power_param { power: 0 }': lambda v: 1.0,
    'type: "Power" power_param { power: 3 scale: 0 shift: 2 }': lambda v: 8.0,
}


@pytest.mark.parametrize("layer", CASES)
def test_element_by_element(one_layer, x, layer):
    y = one_layer(f'top: "y" {layer}', x)["y"]
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, each(CASES[layer], x), rtol=1e-5, atol=1e-6)


def test_relu_lets_nan_through(one_layer):
    y = one_layer('top: "y" type: "ReLU"', np.array([[np.nan, -1]], np.float32))["y"]
    np.testing.assert_array_equal(y, [[np.nan, 0]])


def test_power_of_a_negative_number_is_nan_as_in_c(one_layer):
    y = one_layer('top: "y" type: "Power" power_param { power: 0.5 }', np.array([[-4, 4, 0]], np.float32))["y"]
    np.testing.assert_array_equal(y, [[np.nan, 2, 0]])


def test_prelu_has_a_slope_for_each_channel(one_layer, x, rng):
    slopes = rng.normal(size=3).astype(np.float32)
    y = one_layer('top: "y" type: "PReLU"', x, blobs=[slopes])["y"]
    for channel, slope in enumerate(slopes):
        expected = each(lambda v, slope=slope: v if v > 0 else float(slope) * v, x[:, channel])
        np.testing.assert_allclose(y[:, channel], expected, rtol=1e-5)


def test_prelu_may_share_one_slope(one_layer, x):
    body = 'top: "y" type: "PReLU" prelu_param { channel_shared: true }'
    y = one_layer(body, x, blobs=[np.array(0.25, np.float32)])["y"]
    np.testing.assert_allclose(y, np.where(x > 0, x, 0.25 * x), rtol=1e-6)


def test_prelu_needs_channels(one_layer):
    with pytest.raises(NetError, match="at least 2 axes"):
        one_layer('top: "y" type: "PReLU"', np.zeros(4, np.float32))


@pytest.mark.parametrize("kind", ["ReLU", "Sigmoid", "TanH", "Power"])
def test_a_blob_without_axes(one_layer, kind):
    assert one_layer(f'type: "{kind}" top: "y"', np.array(0, "f"))["y"].shape == ()
