from __future__ import annotations

import itertools

import numpy as np
import pytest

from workflow.errors import NetError


def naive(x, size, alpha, beta, k, within):
    n, c, h, w = x.shape
    y, half = np.zeros(x.shape), size // 2
    for item, channel, i, j in itertools.product(range(n), range(c), range(h), range(w)):
        if within:
            values = x[item, channel, max(i - half, 0) : i + half + 1, max(j - half, 0) : j + half + 1]
            scale = 1 + alpha / size**2 * float((values**2).sum())
        else:
            values = x[item, max(channel - half, 0) : channel + half + 1, i, j]
            scale = k + alpha / size * float((values**2).sum())
        y[item, channel, i, j] = x[item, channel, i, j] * scale**-beta
    return y


@pytest.mark.parametrize("region", ["ACROSS_CHANNELS", "WITHIN_CHANNEL"])
@pytest.mark.parametrize("size", [1, 3, 5])
def test_as_the_loops_have_it(one_layer, rng, region, size):
    x = rng.normal(size=(2, 5, 4, 3)).astype(np.float32)
    param = f"local_size: {size} alpha: 0.5 beta: 0.75 k: 2 norm_region: {region}"
    y = one_layer(f'type: "LRN" top: "y" lrn_param {{ {param} }}', x)["y"]
    expected = naive(x, size, 0.5, 0.75, 2, region == "WITHIN_CHANNEL")
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-6)


def test_the_size_is_odd(one_layer, x):
    with pytest.raises(NetError, match="local_size=4, expected an odd number"):
        one_layer('type: "LRN" top: "y" lrn_param { local_size: 4 }', x)


def test_only_pictures(one_layer, rng):
    with pytest.raises(NetError, match=r"expected \(N, C, H, W\)"):
        one_layer('type: "LRN" top: "y"', rng.normal(size=(2, 3)).astype("f"))
