from __future__ import annotations

import numpy as np
import pytest

from workflow.errors import NetError


@pytest.mark.parametrize(("param", "axis"), [("", 1), ("axis: -1", 3), ("axis: 0", 0), ("concat_dim: 2", 2)])
def test_concat(one_layer, x, param, axis):
    other = np.concatenate([x, x], axis=axis) + 1
    y = one_layer(f'type: "Concat" top: "y" concat_param {{ {param} }}', x, other)["y"]
    np.testing.assert_array_equal(y, np.concatenate([x, other], axis=axis))


def test_concat_of_one(one_layer, x):
    np.testing.assert_array_equal(one_layer('type: "Concat" top: "y"', x)["y"], x)


@pytest.mark.parametrize(
    ("param", "edges", "axis"),
    [("", (1, 2), 1), ("axis: 2 slice_point: 1 slice_point: 5", (1, 5), 2), ("slice_dim: 1", (1, 2), 1)],
)
def test_slice(one_layer, x, param, edges, axis):
    tops = 'top: "a" top: "b" top: "c"'
    blobs = one_layer(f'type: "Slice" {tops} slice_param {{ {param} }}', x)
    for name, part in zip("abc", np.split(x, edges, axis=axis), strict=True):
        np.testing.assert_array_equal(blobs[name], part)


def test_slice_into_one(one_layer, x):
    np.testing.assert_array_equal(one_layer('type: "Slice" top: "y"', x)["y"], x)


@pytest.mark.parametrize(
    ("param", "shape"),
    [
        ("", (2, 105)),
        ("axis: 0", (210,)),
        ("axis: -3 end_axis: -2", (2, 21, 5)),
        ("axis: 2 end_axis: 1", (2, 3, 1, 7, 5)),
    ],
)
def test_flatten(one_layer, x, param, shape):
    y = one_layer(f'type: "Flatten" top: "y" flatten_param {{ {param} }}', x)["y"]
    np.testing.assert_array_equal(y, x.reshape(shape))


@pytest.mark.parametrize(
    ("param", "shape"),
    [
        ("shape { dim: 0 dim: -1 }", (2, 105)),
        ("shape { dim: 5 dim: 42 }", (5, 42)),
        ("shape { dim: -1 dim: 7 } axis: 1 num_axes: 2", (2, 3, 7, 5)),
        ("shape { dim: 1 } axis: 1 num_axes: 0", (2, 1, 3, 7, 5)),
        ("shape { dim: 1 dim: 1 } axis: -1", (2, 3, 7, 5, 1, 1)),
        ("shape { dim: 0 dim: 3 dim: -1 } axis: 0 num_axes: 3", (2, 3, 7, 5)),
        ("shape { dim: 35 } axis: -3", (2, 3, 35)),
    ],
)
def test_reshape(one_layer, x, param, shape):
    y = one_layer(f'type: "Reshape" top: "y" reshape_param {{ {param} }}', x)["y"]
    np.testing.assert_array_equal(y, x.reshape(shape))


def test_reshape_may_copy_a_size_behind_the_axes_that_it_replaces(one_layer):
    x = np.arange(12, dtype="f").reshape(2, 2, 3)
    y = one_layer('type: "Reshape" top: "y" reshape_param { shape { dim: 1 dim: 0 } num_axes: 1 }', x)["y"]
    np.testing.assert_array_equal(y, x[None])


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        ('type: "Concat" top: "y" concat_param { axis: 1 concat_dim: 1 }', "not both"),
        ('type: "Slice" top: "y" slice_param { axis: 1 slice_dim: 1 }', "not both"),
        ('type: "Slice" top: "y" top: "z"', "3 cannot be cut into 2 equal parts"),
        ('type: "Slice" top: "y" top: "z" slice_param { slice_point: 3 }', "expected them to grow"),
        ('type: "Slice" top: "y" top: "z" slice_param { slice_point: 1 slice_point: 2 }', "2 slice points for 2 tops"),
        ('type: "Flatten" top: "y" flatten_param { axis: 4 }', "axis 4 of a blob with 4 axes"),
        ('type: "Flatten" top: "y" flatten_param { axis: 2 end_axis: 0 }', "axis 2 and end_axis 0"),
        ('type: "Reshape" top: "y" reshape_param { shape { dim: 4 dim: -1 } }', "cannot be made"),
        ('type: "Reshape" top: "y" reshape_param { shape { dim: -1 dim: -1 } }', "cannot be made"),
        ('type: "Reshape" top: "y" reshape_param { shape { dim: 210 dim: 0 } axis: 3 }', "no size of"),
        ('type: "Reshape" top: "y" reshape_param { shape { dim: 1 } axis: 5 }', "axis 5"),
    ],
)
def test_settings_that_cannot_be(one_layer, x, layer, words):
    with pytest.raises(NetError, match=words):
        one_layer(layer, x)


def test_concat_needs_equal_sizes_elsewhere(one_layer, x):
    with pytest.raises(NetError, match="expected equal sizes but for axis 1"):
        one_layer('type: "Concat" top: "y"', x, x[:, :, :3])
