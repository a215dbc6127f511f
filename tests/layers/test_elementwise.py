"""ReLU, Sigmoid, TanH, Softmax: one formula each."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.mark.parametrize(
    ("kind", "param", "formula"),
    [
        ("ReLU", "", lambda x: np.maximum(x, 0)),
        ("ReLU", "relu_param { negative_slope: 0.1 }", lambda x: np.where(x > 0, x, 0.1 * x)),
        ("Sigmoid", "", lambda x: 1 / (1 + np.exp(-x))),
        ("TanH", "", np.tanh),
        ("Softmax", "", lambda x: np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)),
        ("Softmax", "softmax_param { axis: -1 }", lambda x: np.exp(x) / np.exp(x).sum(axis=3, keepdims=True)),
    ],
)
def test_formula(one_layer, x, kind, param, formula):
    y = one_layer(f'name: "l" type: "{kind}" bottom: "x" top: "y" {param}', x).tops[0]
    np.testing.assert_allclose(y, formula(x), rtol=1e-5, atol=1e-7)


def test_relu_passes_no_gradient_at_zero(one_layer):
    zero = np.zeros((1, 1), np.float32)
    applied = one_layer('name: "l" type: "ReLU" bottom: "x" top: "y"', zero, top_diffs=[np.ones_like(zero)])
    assert applied.bottom_diffs[0] == 0


def test_softmax_of_large_scores_is_finite(one_layer):
    x = np.array([[1e4, -1e4]], np.float32)
    np.testing.assert_array_equal(one_layer('name: "l" type: "Softmax" bottom: "x" top: "y"', x).tops[0], [[1, 0]])
