from __future__ import annotations

import numpy as np
import pytest

from workflow.errors import NetError


def batch_norm(param=""):
    return f'type: "BatchNorm" top: "y" batch_norm_param {{ {param} }}'


def test_stored_sums_are_divided_by_their_weight(one_layer, x, rng):
    means, variances = rng.normal(size=3).astype("f"), rng.uniform(1, 2, size=3).astype("f")
    y = one_layer(batch_norm("eps: 0.001"), x, blobs=[4 * means, 4 * variances, np.array([4], "f")])["y"]
    for channel in range(3):
        expected = (x[:, channel] - means[channel]) / np.sqrt(variances[channel] + 0.001)
        np.testing.assert_allclose(y[:, channel], expected, rtol=1e-5, atol=1e-6)


def test_nothing_stored_divides_by_the_root_of_eps(one_layer, x):
    zeros = np.zeros(3, "f")
    y = one_layer(batch_norm(), x, blobs=[zeros, zeros, np.zeros(1, "f")])["y"]
    np.testing.assert_allclose(y, x / np.sqrt(1e-5), rtol=1e-5)


def test_statistics_of_the_batch(one_layer, x):
    blobs = [np.ones(3, "f"), np.ones(3, "f"), np.ones(1, "f")]
    y = one_layer(batch_norm("use_global_stats: false"), x, blobs=blobs)["y"]
    for channel in range(3):
        values = x[:, channel].astype(np.float64)
        expected = (values - values.mean()) / np.sqrt(values.var() + 1e-5)
        np.testing.assert_allclose(y[:, channel], expected, rtol=1e-4, atol=1e-5)


def test_batch_norm_needs_channels(one_layer):
    with pytest.raises(NetError, match="at least 2 axes"):
        one_layer(batch_norm(), np.zeros(4, "f"))


@pytest.mark.parametrize(
    ("param", "shape", "spread"),
    [
        ("", (3,), (1, 3, 1, 1)),
        ("axis: 0", (2,), (2, 1, 1, 1)),
        ("axis: 1 num_axes: 2", (3, 7), (1, 3, 7, 1)),
        ("axis: -2 num_axes: -1", (7, 5), (1, 1, 7, 5)),
        ("num_axes: 0", (), (1, 1, 1, 1)),
    ],
)
def test_scale_and_bias_lie_along_some_axes(one_layer, x, rng, param, shape, spread):
    scale, bias = rng.normal(size=shape).astype("f"), rng.normal(size=shape).astype("f")
    body = f'type: "Scale" top: "y" scale_param {{ {param} bias_term: true }}'
    y = one_layer(body, x, blobs=[scale, bias])["y"]
    np.testing.assert_allclose(y, x * scale.reshape(spread) + bias.reshape(spread), rtol=1e-5, atol=1e-6)


def test_scale_alone_and_by_a_second_bottom(one_layer, x, rng):
    scale = rng.normal(size=3).astype("f")
    alone = one_layer('type: "Scale" top: "y"', x, blobs=[scale])["y"]
    given = one_layer('type: "Scale" top: "y"', x, scale)["y"]
    np.testing.assert_array_equal(alone, x * scale[:, None, None])
    np.testing.assert_array_equal(given, alone)


def test_a_second_bottom_and_a_learned_bias(one_layer, x, rng):
    scale, bias = rng.normal(size=(2, 3)).astype("f"), rng.normal(size=(2, 3)).astype("f")
    body = 'type: "Scale" top: "y" scale_param { axis: 0 bias_term: true }'
    y = one_layer(body, x, scale, blobs=[bias])["y"]
    np.testing.assert_allclose(y, x * scale[..., None, None] + bias[..., None, None], rtol=1e-5, atol=1e-6)


def test_scales_that_do_not_fit(one_layer, x):
    with pytest.raises(NetError, match="second bottom of shape .4,. from axis 1 on does not fit"):
        one_layer('type: "Scale" top: "y"', x, np.zeros(4, "f"))
    with pytest.raises(NetError, match="num_axes 4 from axis 1 on does not fit"):
        one_layer('type: "Scale" top: "y" scale_param { num_axes: 4 }', x)
