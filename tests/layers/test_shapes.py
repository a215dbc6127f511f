"""Split, Concat, Eltwise, Flatten, Input: layers that move or join blobs."""

from __future__ import annotations

import numpy as np
import pytest
from one_layer import make

from workflow.errors import NetError


def test_split_adds_gradients_up(one_layer, x):
    text = 'name: "s" type: "Split" bottom: "x" top: "a" top: "b"'
    applied = one_layer(text, x, top_diffs=[np.full_like(x, 2), np.full_like(x, 3)])
    np.testing.assert_array_equal(applied.tops[1], x)
    np.testing.assert_array_equal(applied.bottom_diffs[0], np.full_like(x, 5))


@pytest.mark.parametrize(("param", "axis"), [("", 1), ("axis: -1", 3), ("concat_dim: 0", 0)])
def test_concat(one_layer, x, param, axis):
    text = f'name: "c" type: "Concat" bottom: "a" bottom: "b" top: "y" concat_param {{ {param} }}'
    np.testing.assert_array_equal(one_layer(text, x, -x).tops[0], np.concatenate([x, -x], axis=axis))


def test_concat_of_unequal_shapes(one_layer, x):
    with pytest.raises(NetError, match="expected them equal but for axis 1"):
        one_layer('name: "c" type: "Concat" bottom: "a" bottom: "b" top: "y"', x, x[:, :, :3])


@pytest.mark.parametrize(
    ("param", "formula"),
    [
        ("", lambda a, b, c: a + b + c),
        ("coeff: 1 coeff: -2 coeff: 0.5", lambda a, b, c: a - 2 * b + 0.5 * c),
        ("operation: PROD", lambda a, b, c: a * b * c),
        ("operation: MAX", lambda a, b, c: np.maximum(np.maximum(a, b), c)),
        ("operation: MAX coeff: 1 coeff: -2 coeff: 0.5", lambda a, b, c: np.maximum(np.maximum(a, b), c)),
    ],
)
def test_eltwise(one_layer, x, param, formula):
    text = f'name: "e" type: "Eltwise" bottom: "a" bottom: "b" bottom: "c" top: "y" eltwise_param {{ {param} }}'
    a, b, c = x, np.roll(x, 1), np.roll(x, 2)
    np.testing.assert_allclose(one_layer(text, a, b, c).tops[0], formula(a, b, c), rtol=1e-6)


def test_eltwise_max_gives_a_tie_to_the_second(one_layer):
    text = 'name: "e" type: "Eltwise" bottom: "a" bottom: "b" bottom: "c" top: "y" eltwise_param { operation: MAX }'
    ones = np.ones((1, 2), np.float32)
    diffs = one_layer(text, ones, ones, ones, top_diffs=[ones]).bottom_diffs
    assert [diff.sum() for diff in diffs] == [0, 2, 0]


@pytest.mark.parametrize(
    ("param", "words"),
    [
        ("operation: PROD coeff: 1 coeff: 1", "PROD takes no coeff"),
        ("coeff: 1", "1 coeff, expected one for each of 2"),
    ],
)
def test_eltwise_settings_that_cannot_be(one_layer, x, param, words):
    with pytest.raises(NetError, match=words):
        one_layer(f'name: "e" type: "Eltwise" bottom: "a" bottom: "b" top: "y" eltwise_param {{ {param} }}', x, x)


def test_eltwise_does_not_broadcast(one_layer, x):
    with pytest.raises(NetError, match="expected equal ones"):
        one_layer('name: "e" type: "Eltwise" bottom: "a" bottom: "b" top: "y"', x, x[:, :1])


@pytest.mark.parametrize(
    ("param", "shape"),
    [
        ("", (2, 105)),
        ("axis: 2", (2, 3, 35)),
        ("axis: 0 end_axis: 1", (6, 7, 5)),
        ("axis: 2 end_axis: 1", (2, 3, 1, 7, 5)),
    ],
)
def test_flatten(one_layer, x, param, shape):
    text = f'name: "f" type: "Flatten" bottom: "x" top: "y" flatten_param {{ {param} }}'
    np.testing.assert_array_equal(one_layer(text, x).tops[0], x.reshape(shape))


@pytest.mark.parametrize(("param", "rows"), [("", [0, 0]), ("argmax_param { out_max_val: true }", [[0, 3], [0, -2]])])
def test_argmax_of_single_values(one_layer, param, rows):
    y = one_layer(f'name: "m" type: "ArgMax" bottom: "x" top: "y" {param}', np.array([3, -2], np.float32)).tops[0]
    np.testing.assert_array_equal(y, np.reshape(rows, (2, -1, 1)))


def test_crop_looks_at_as_many_axes_as_it_needs(one_layer, x):
    like = np.zeros((9, 9, 2, 4, 6), np.float32)
    y = one_layer('name: "c" type: "Crop" bottom: "x" bottom: "like" top: "y" crop_param { offset: 1 }', x, like).tops[
        0
    ]
    np.testing.assert_array_equal(y, x[:, :, 1:3, 1:5])


def test_bias_of_one_number_and_one_number(one_layer):
    three, four = (np.array(number, np.float32) for number in (3, 4))
    y = one_layer('name: "b" type: "Bias" bottom: "x" bottom: "b" top: "y"', three, four).tops[0]
    assert y.shape == ()
    assert y == 7


def test_input_has_the_shapes_of_the_prototxt():
    layer = make('name: "i" type: "Input" top: "a" top: "b" input_param { shape { dim: 2 dim: 3 } shape { dim: 4 } }')
    assert [tuple(top.shape) for top in layer.forward()] == [(2, 3), (4,)]
    one = make('name: "i" type: "Input" top: "a" top: "b" input_param { shape { dim: 2 dim: 3 } }')
    assert one.top_shapes() == [(2, 3), (2, 3)]
