from __future__ import annotations

import numpy as np
import pytest

from workflow.errors import NetError


@pytest.mark.parametrize(
    ("param", "expected"),
    [
        ("", lambda a, b, c: a + b + c),
        ("coeff: 1 coeff: -2 coeff: 0.5", lambda a, b, c: a - 2 * b + 0.5 * c),
        ("operation: PROD", lambda a, b, c: a * b * c),
        ("operation: MAX", lambda a, b, c: np.maximum(np.maximum(a, b), c)),
    ],
)
def test_three_bottoms(one_layer, x, param, expected):
    bottoms = [x, x[::-1].copy(), x[:, ::-1].copy()]
    y = one_layer(f'type: "Eltwise" top: "y" eltwise_param {{ {param} }}', *bottoms)["y"]
    np.testing.assert_allclose(y, expected(*bottoms), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("param", "words"), [("operation: PROD coeff: 1 coeff: 2", "takes no coeff"), ("coeff: 1", "1 coeff, expected")]
)
def test_settings_that_cannot_be(one_layer, x, param, words):
    with pytest.raises(NetError, match=words):
        one_layer(f'type: "Eltwise" top: "y" eltwise_param {{ {param} }}', x, x)


def test_shapes_are_equal(one_layer, x):
    with pytest.raises(NetError, match="expected one shape"):
        one_layer('type: "Eltwise" top: "y"', x, x[:, :1])
