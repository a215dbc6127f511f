from __future__ import annotations

import numpy as np
import pytest

from workflow.errors import NetError


@pytest.mark.parametrize("axis", [1, 2, -1])
@pytest.mark.parametrize("transpose", ["true", "false"])
def test_flattens_from_an_axis_on(one_layer, x, rng, axis, transpose):
    inputs = int(np.prod(x.shape[axis:]))
    weights, bias = rng.normal(size=(4, inputs)).astype("f"), rng.normal(size=4).astype("f")
    body = f'type: "InnerProduct" top: "y" inner_product_param {{ num_output: 4 axis: {axis} transpose: {transpose} }}'
    stored = np.ascontiguousarray(weights.T) if transpose == "true" else weights
    y = one_layer(body, x, blobs=[stored, bias])["y"]
    rows = x.reshape(-1, inputs).astype(np.float64)
    expected = np.array([[row @ weights[o] + bias[o] for o in range(4)] for row in rows])
    np.testing.assert_allclose(y, expected.reshape(*x.shape[:axis], 4), rtol=1e-4, atol=1e-5)


def test_without_bias(one_layer, x, rng):
    weights = rng.normal(size=(2, 105)).astype("f")
    body = 'type: "InnerProduct" top: "y" inner_product_param { num_output: 2 bias_term: false }'
    y = one_layer(body, x, blobs=[weights])["y"]
    np.testing.assert_allclose(y, x.reshape(2, 105) @ weights.T, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("param", "words"), [("axis: 1", "num_output=0"), ("num_output: 2 axis: 4", "axis 4 of a blob with 4 axes")]
)
def test_settings_that_cannot_be(one_layer, x, param, words):
    with pytest.raises(NetError, match=words):
        one_layer(f'type: "InnerProduct" top: "y" inner_product_param {{ {param} }}', x)
