from __future__ import annotations

import itertools

import numpy as np
import pytest

from workflow.errors import NetError


@pytest.mark.parametrize(("region", "k"), [("ACROSS_CHANNELS", 2.0), ("WITHIN_CHANNEL", 1.0)])
def test_sums_of_squares_as_loops(one_layer, x, region, k):
    text = f"""name: "n" type: "LRN" bottom: "x" top: "y"
      lrn_param {{ local_size: 3 alpha: 0.5 beta: 0.75 k: 2 norm_region: {region} }}"""
    expected = np.zeros_like(x)
    for place in itertools.product(*map(range, x.shape)):
        n, c, h, w = place
        if region == "ACROSS_CHANNELS":
            window, count = x[n, max(c - 1, 0) : c + 2, h, w], 3
        else:
            window, count = x[n, c, max(h - 1, 0) : h + 2, max(w - 1, 0) : w + 2], 9
        expected[place] = x[place] * (k + 0.5 / count * (window**2).sum()) ** -0.75
    np.testing.assert_allclose(one_layer(text, x).tops[0], expected, rtol=1e-5)


def test_even_window_is_refused(one_layer, x):
    with pytest.raises(NetError, match="local_size=4, expected an odd number"):
        one_layer('name: "n" type: "LRN" bottom: "x" top: "y" lrn_param { local_size: 4 }', x)
