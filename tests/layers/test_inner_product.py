from __future__ import annotations

import numpy as np
import pytest

from workflow.errors import NetError


def test_flattens_in_row_major_order(one_layer, x):
    rng = np.random.default_rng(2)
    weight, bias = rng.normal(size=(4, 105)).astype("f"), rng.normal(size=4).astype("f")
    text = 'name: "ip" type: "InnerProduct" bottom: "x" top: "y" inner_product_param { num_output: 4 }'
    y = one_layer(text, x, blobs=[weight, bias]).tops[0]
    np.testing.assert_allclose(y, x.reshape(2, -1) @ weight.T + bias, rtol=1e-4, atol=1e-4)


def test_axis_and_transpose(one_layer, x):
    weight = np.random.default_rng(2).normal(size=(5, 4)).astype("f")
    text = """name: "ip" type: "InnerProduct" bottom: "x" top: "y"
      inner_product_param { num_output: 4 axis: -1 transpose: true bias_term: false }"""
    y = one_layer(text, x, blobs=[weight]).tops[0]
    assert y.shape == (2, 3, 7, 4)
    np.testing.assert_allclose(y, x @ weight, rtol=1e-4, atol=1e-5)


def test_settings_that_cannot_be(one_layer, x):
    with pytest.raises(NetError, match="num_output=0"):
        one_layer('name: "ip" type: "InnerProduct" bottom: "x" top: "y"', x)
    with pytest.raises(NetError, match="axis 4 of a blob with 4 axes"):
        one_layer(
            'name: "i" type: "InnerProduct" bottom: "x" top: "y" inner_product_param { num_output: 1 axis: 4 }', x
        )
