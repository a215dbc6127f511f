"""Caffe's DataTransformer, against a loop over single pixels."""

from __future__ import annotations

import numpy as np
import pytest
from google.protobuf import text_format
from hypothesis import given, settings
from hypothesis import strategies as st

from workflow.data.transform import Transform
from workflow.errors import NetError
from workflow.formats import caffe_pb2

SHAPE = (2, 3, 7, 5)


def batch(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, SHAPE, dtype=np.uint8)


def naive(pixels: np.ndarray, transform: Transform, phase: str, seed: int) -> np.ndarray:
    """One pixel after the other, in float64, with the same draws."""
    count, channels, height, width = pixels.shape
    size = (transform.crop or height, transform.crop or width)
    rng = np.random.default_rng(seed)
    tops, lefts = [(height - size[0]) // 2] * count, [(width - size[1]) // 2] * count
    if transform.crop and phase == "TRAIN":
        tops = rng.integers(0, height - size[0] + 1, count)
        lefts = rng.integers(0, width - size[1] + 1, count)
    flips = rng.integers(0, 2, count) if transform.mirror else [0] * count
    out = np.zeros((count, channels, *size))
    for n in range(count):
        for c in range(channels):
            for h in range(size[0]):
                for w in range(size[1]):
                    y, x = h + tops[n], w + lefts[n]
                    mean = 0.0
                    if transform.mean is not None:
                        m = np.broadcast_to(transform.mean, (channels, height, width))
                        mean = float(m[c, y, x])
                    column = size[1] - 1 - w if flips[n] else w
                    out[n, c, h, column] = (float(pixels[n, c, y, x]) - mean) * transform.scale
    return out


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 5),
    st.booleans(),
    st.sampled_from(["TRAIN", "TEST"]),
    st.sampled_from([1.0, 0.00390625, -2.5]),
    st.sampled_from(["none", "one value", "values", "picture"]),
    st.integers(0, 99),
)
def test_equals_the_naive_loop(crop, mirror, phase, scale, kind, seed):
    rng = np.random.default_rng(seed)
    shapes = {"one value": (1, 1, 1), "values": (3, 1, 1), "picture": SHAPE[1:]}
    mean = (255 * rng.random(shapes[kind])).astype(np.float32) if kind != "none" else None
    transform = Transform(scale=scale, mean=mean, crop=crop, mirror=mirror)
    got = transform.apply(batch(seed), phase=phase, rng=np.random.default_rng(seed))
    assert got.dtype == np.float32
    assert got.flags.c_contiguous
    assert got.shape[1:] == transform.shape(SHAPE[1:])
    np.testing.assert_allclose(got, naive(batch(seed), transform, phase, seed), rtol=1e-5, atol=1e-4)


def test_float_records_are_taken_as_they_are():
    values = np.random.default_rng(1).normal(size=SHAPE).astype(np.float32)
    np.testing.assert_array_equal(Transform().apply(values, phase="TEST"), values)


def test_every_place_and_both_directions_are_drawn():
    pixels = np.broadcast_to(np.arange(35, dtype=np.uint8).reshape(1, 1, 7, 5), (2000, 1, 7, 5))
    transform = Transform(crop=4, mirror=True)
    got = transform.apply(pixels, phase="TRAIN", rng=np.random.default_rng(1))
    flipped = got[:, 0, 0, 0] > got[:, 0, 0, 3]
    corners = np.minimum(got[:, 0, 0, 0], got[:, 0, 0, 3])
    assert sorted(set(corners.tolist())) == [5 * row + column for row in range(4) for column in range(2)]
    assert abs(flipped.mean() - 0.5) < 0.05


def test_mirror_draws_in_both_phases_and_crop_in_training():
    assert Transform(mirror=True).is_random("TEST")
    assert Transform(crop=3).is_random("TRAIN")
    assert not Transform(crop=3).is_random("TEST")
    with pytest.raises(ValueError, match="needs a generator"):
        Transform(mirror=True).apply(batch(), phase="TEST")


def parsed(text: str) -> caffe_pb2.TransformationParameter:
    return text_format.Parse(text, caffe_pb2.TransformationParameter())


def test_settings_are_those_of_the_prototxt():
    transform = Transform.of(
        parsed("scale: 0.5 crop_size: 3 mirror: true mean_value: 104 mean_value: 117 mean_value: 123")
    )
    assert (transform.scale, transform.crop, transform.mirror, transform.force) == (0.5, 3, True, None)
    assert transform.mean is not None
    assert transform.mean.tolist() == [[[104]], [[117]], [[123]]]
    assert Transform.of(parsed("force_gray: true")).force == "gray"
    mean = np.zeros(SHAPE[1:], np.float32)
    assert Transform.of(parsed(""), mean=mean).mean is mean


def test_m04_mean_file_and_mean_value():
    with pytest.raises(NetError, match="layer 'data': mean_file and mean_value cannot be used together"):
        Transform.of(parsed("mean_value: 1"), mean=np.zeros(SHAPE[1:], np.float32), layer="data")


def test_force_color_and_force_gray():
    with pytest.raises(NetError, match="cannot be used together"):
        Transform.of(parsed("force_color: true force_gray: true"))


def test_m02_mean_of_another_shape():
    transform = Transform(mean=np.zeros((3, 8, 5), np.float32))
    with pytest.raises(NetError, match="mean is 3×8×5 but images are 3×7×5"):
        transform.apply(batch(), phase="TEST")
    with pytest.raises(NetError, match="mean is 2×1×1"):
        Transform(mean=np.zeros((2, 1, 1), np.float32)).shape(SHAPE[1:])


def test_a_crop_larger_than_the_picture():
    with pytest.raises(NetError, match="crop_size=6, but images are 3×7×5"):
        Transform(crop=6).shape(SHAPE[1:])
