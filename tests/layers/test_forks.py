"""Layers of forks against their published rules, stated here in numpy; gradients against differences."""

from __future__ import annotations

import numpy as np
import pytest

from workflow.errors import NetError

RNG = np.random.default_rng(8)
X = RNG.normal(size=(2, 6, 5, 7)).astype("f")


def text(kind, param="", bottoms="a"):
    return f'name: "one" type: "{kind}" {" ".join(f"bottom: {name!r}" for name in bottoms)} top: "y" {param}'


def slopes(rule, arrays, diff, which):
    """Central differences of sum(rule(*arrays) * diff) in float64."""
    arrays = [array.astype(np.float64) for array in arrays]
    found, flat = np.zeros(arrays[which].shape), arrays[which].reshape(-1)
    for place in range(flat.size):
        kept = flat[place]
        ends = []
        for step in (1e-5, -1e-5):
            flat[place] = kept + step
            ends.append((rule(*arrays) * diff).sum())
        flat[place] = kept
        found.reshape(-1)[place] = (ends[0] - ends[1]) / 2e-5
    return found


def held(one_layer, layer, rule, *bottoms, blobs=(), fixed=()):
    """Compare a layer with a rule of bottoms and parameters, forward and backward."""
    wanted = rule(*bottoms, *blobs)
    diff = RNG.normal(size=wanted.shape).astype("f")
    applied = one_layer(layer, *bottoms, blobs=blobs, top_diffs=[diff])
    np.testing.assert_allclose(applied.tops[0], wanted, rtol=1e-5, atol=1e-6)
    found = [*applied.bottom_diffs, *applied.blob_diffs]
    for which, gradient in enumerate(found):
        if which not in fixed:
            expected = slopes(rule, [*bottoms, *blobs], diff, which)
            np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize("shape", [(2, 6), (2, 6, 1, 1)])
def test_axpy(one_layer, shape):
    a, x, y = RNG.normal(size=shape).astype("f"), X[:, :, :2, :3], X[:, :, 1:3, 2:5]
    held(one_layer, text("Axpy", bottoms="abc"), lambda a, x, y: a.reshape(2, 6, 1, 1) * x + y, a, x, y)


@pytest.mark.parametrize("group", [1, 2, 3])
def test_shuffle_channel(one_layer, group):
    def rule(x):
        y = np.empty_like(x)
        for i in range(group):
            for j in range(6 // group):
                y[:, j * group + i] = x[:, i * (6 // group) + j]
        return y

    held(one_layer, text("ShuffleChannel", f"shuffle_channel_param {{ group: {group} }}"), rule, X[:, :, :2, :3])


@pytest.mark.parametrize("slope", [0, 0.25])
def test_relu6(one_layer, slope):
    x = 5 * X[:, :2]
    param = f"relu6_param {{ negative_slope: {slope} }}"
    held(one_layer, text("ReLU6", param), lambda x: np.minimum(np.maximum(x, 0) + slope * np.minimum(x, 0), 6), x)


def test_relu6_at_its_corners(one_layer):
    x = np.array([[0, 6, 3]], np.float32)
    param = "relu6_param { negative_slope: 0.5 }"
    applied = one_layer(text("ReLU6", param), x, top_diffs=[np.ones_like(x)])
    np.testing.assert_array_equal(applied.bottom_diffs[0], [[0.5, 0, 1]])


@pytest.mark.parametrize("across", [True, False])
@pytest.mark.parametrize("shared", [True, False])
def test_normalize(one_layer, across, shared):
    axes = (1, 2, 3) if across else (1,)

    def rule(x, scale):
        return x / np.sqrt((x**2).sum(axis=axes, keepdims=True) + 0.01) * scale.reshape(1, -1, 1, 1)

    param = f"across_spatial: {str(across).lower()} channel_shared: {str(shared).lower()} eps: 0.01"
    scale = np.full((), 2, "f") if shared else RNG.normal(size=6).astype("f")
    held(one_layer, text("Normalize", f"norm_param {{ {param} }}"), rule, X[:, :, :2, :3], blobs=[scale])


def bilinear(x, height, width):
    """Corner to corner, as loops."""
    out = np.zeros((*x.shape[:2], height, width), x.dtype)
    for i in range(height):
        for j in range(width):
            v = i * (x.shape[2] - 1) / (height - 1) if height > 1 else 0
            u = j * (x.shape[3] - 1) / (width - 1) if width > 1 else 0
            for r, a in ((int(v), 1 - v % 1), (min(int(v) + 1, x.shape[2] - 1), v % 1)):
                for c, b in ((int(u), 1 - u % 1), (min(int(u) + 1, x.shape[3] - 1), u % 1)):
                    out[:, :, i, j] += a * b * x[:, :, r, c]
    return out


@pytest.mark.parametrize(
    ("param", "size"),
    [
        ("height: 3 width: 11", (3, 11)),
        ("height: 1 width: 4", (1, 4)),
        ("shrink_factor: 2", (3, 4)),
        ("zoom_factor: 2", (9, 13)),
        ("shrink_factor: 2 zoom_factor: 3", (7, 10)),
        ("shrink_factor: 2 zoom_factor: 3 height: 4 width: 6", (4, 6)),
    ],
)
def test_interp(one_layer, param, size):
    held(one_layer, text("Interp", f"interp_param {{ {param} }}"), lambda x: bilinear(x, *size), X[:1, :2])


def test_interp_cuts_first(one_layer):
    layer = text("Interp", "interp_param { zoom_factor: 2 pad_beg: -1 pad_end: -2 }")
    held(one_layer, layer, lambda x: bilinear(x[:, :, 1:-2, 1:-2], 3, 7), X[:1, :2])


def test_interp_like_a_second_bottom(one_layer):
    applied = one_layer(text("Interp", bottoms="ab"), X, np.zeros((2, 1, 9, 4), "f"))
    np.testing.assert_allclose(applied.tops[0], bilinear(X, 9, 4), rtol=1e-5, atol=1e-6)


def test_upsample_by_nearest_neighbours(one_layer):
    layer = text("Upsample", "upsample_param { scale: 3 }")
    held(one_layer, layer, lambda x: np.kron(x, np.ones((1, 1, 3, 3))), X[:, :2, :2, :3])


@pytest.mark.parametrize(
    ("param", "size"),
    [
        ("", (4, 6)),
        ("scale: 3", (6, 9)),
        ("scale_h: 2 scale_w: 3 pad_out_h: true", (3, 9)),
        ("upsample_h: 5 upsample_w: 4", (5, 4)),
    ],
)
def test_upsample_by_a_mask(one_layer, param, size):
    x = X[:, :2, :2, :3]
    mask = RNG.integers(0, size[0] * size[1], size=x.shape).astype("f")

    def rule(x, mask):
        y = np.zeros((*x.shape[:2], size[0] * size[1]), x.dtype)
        for place in np.ndindex(x.shape):
            y[(*place[:2], int(mask[place]))] = x[place]  # of several the last
        return y.reshape(*x.shape[:2], *size)

    layer = text("Upsample", f"upsample_param {{ {param} }}", "ab")
    diff = RNG.normal(size=(2, 2, *size)).astype("f")
    applied = one_layer(layer, x, mask, top_diffs=[diff])
    np.testing.assert_array_equal(applied.tops[0], rule(x, mask))
    taken = np.take_along_axis(diff.reshape(2, 2, -1), mask.astype(int).reshape(2, 2, -1), axis=2)
    np.testing.assert_array_equal(applied.bottom_diffs[0], taken.reshape(x.shape))


def test_pooling_and_upsample_are_partners(one_layer):
    pool = 'name: "p" type: "Pooling" bottom: "a" top: "y" top: "mask" pooling_param { kernel_size: 2 stride: 2 }'
    x = X[:, :, :4, :6]
    values, mask = one_layer(pool, x).tops
    y = one_layer(text("Upsample", bottoms="ab"), values, mask).tops[0]
    np.testing.assert_array_equal(y[y != 0], x[y != 0])
    assert (y != 0).sum() == values.size


@pytest.mark.parametrize(
    ("kind", "param", "bottoms", "words"),
    [
        ("Permute", "permute_param { order: 0 order: 0 }", [X], r"order \[0, 0\] of a bottom with 4 axes"),
        ("Permute", "permute_param { order: 4 }", [X], "expected different numbers below 4"),
        ("Normalize", "", [X[0, 0, 0]], "expected .N, C, .... with 2 to 4 axes"),
        ("Axpy", "", [X[:, :3], X, X], "expected .N, C, 1, 1."),
        ("ShuffleChannel", "shuffle_channel_param { group: 4 }", [X], "divisible by group=4"),
        ("ShuffleChannel", "shuffle_channel_param { group: 0 }", [X], "group=0, expected at least 1"),
        ("Interp", "", [X], "expected shrink_factor, zoom_factor, height and width"),
        ("Interp", "interp_param { pad_beg: 1 zoom_factor: 2 }", [X], "pad_beg=1, pad_end=0, expected 0 or less"),
        ("Interp", "interp_param { zoom_factor: 0 }", [X], "of at least 1"),
        ("Interp", "interp_param { pad_beg: -5 zoom_factor: 2 }", [X], "expected at least 1"),
        ("Upsample", "upsample_param { scale: 0 }", [X], "scale=0"),
        ("Upsample", "upsample_param { upsample_h: 3 }", [X, X], "expected upsample_h and upsample_w"),
        ("Upsample", "upsample_param { scale: 3 pad_out_w: true }", [X, X], "pad_out_w with a scale of 3, expected 2"),
        ("Upsample", "", [X, X[:1]], "expected .N, C, H, W. twice"),
        ("Upsample", "", [X, X + 9000], "the mask names places"),
    ],
)
def test_refused(one_layer, kind, param, bottoms, words):
    with pytest.raises(NetError, match=words):
        one_layer(text(kind, param, "abc"[: len(bottoms)]), *bottoms, blobs=[np.ones((), "f")] * (kind == "Normalize"))
