"""Fits and kernels."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from workflow.config import Preprocessing
from workflow.data.pictures import decode
from workflow.data.resize import centre, resize, two_tap
from workflow.formats import datum
from workflow.formats.lmdb import Reader


@pytest.mark.parametrize("kernel", ["bilinear", "bicubic", "lanczos", "box", "opencv"])
@pytest.mark.parametrize("fit", ["squash", "crop", "pad"])
def test_the_right_size_is_left_alone(kernel, fit):
    image = Image.fromarray(np.random.default_rng(1).integers(0, 256, (7, 5, 3), dtype=np.uint8))
    assert resize(image, Preprocessing(width=5, height=7, kernel=kernel, fit=fit)) is image


@pytest.mark.parametrize(
    ("source", "target", "box"),
    [
        ((40, 20), (5, 5), (10, 0, 30, 20)),
        ((20, 41), (5, 5), (0, 10, 20, 30)),
        ((40, 20), (8, 4), (0, 0, 40, 20)),
        ((40, 20), (3, 6), (15, 0, 25, 20)),
        ((1, 1), (5, 7), (0, 0, 1, 1)),
    ],
)
def test_crop_keeps_the_largest_centred_part(source, target, box):
    assert centre(source, target) == box


def test_crop_takes_the_middle_third_of_three_stripes():
    stripes = np.zeros((20, 60, 3), np.uint8)
    stripes[:, 20:40] = (10, 20, 30)
    got = resize(Image.fromarray(stripes), Preprocessing(width=4, height=4, fit="crop"))
    assert np.asarray(got).tolist() == [[[10, 20, 30]] * 4] * 4


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_pad_shows_the_whole_picture_on_the_background(mode):
    image = Image.new("RGB", (20, 10), (10, 10, 10)).convert(mode)
    got = resize(image, Preprocessing(width=6, height=5, fit="pad", background=(200, 200, 200)))
    rows = np.asarray(got.convert("L"))[:, 0].tolist()
    assert rows == [200, 10, 10, 10, 200]


def test_squash_ignores_the_aspect_ratio():
    image = Image.new("RGB", (40, 10), (10, 10, 10))
    assert resize(image, Preprocessing(width=3, height=5)).size == (3, 5)


def naive(pixels: np.ndarray, width: int, height: int) -> np.ndarray:
    """Bilinear with half-pixel centres in float64."""
    out = np.empty((height, width, pixels.shape[2]))
    for y in range(height):
        for x in range(width):
            v = min(max((y + 0.5) * pixels.shape[0] / height - 0.5, 0), pixels.shape[0] - 1)
            u = min(max((x + 0.5) * pixels.shape[1] / width - 0.5, 0), pixels.shape[1] - 1)
            top, left = int(v), int(u)
            bottom, right = min(top + 1, pixels.shape[0] - 1), min(left + 1, pixels.shape[1] - 1)
            a, b = v - top, u - left
            upper = pixels[top, left] * (1 - b) + pixels[top, right] * b
            lower = pixels[bottom, left] * (1 - b) + pixels[bottom, right] * b
            out[y, x] = upper * (1 - a) + lower * a
    return out


@given(*[st.integers(1, 9)] * 4)
def test_two_tap_is_bilinear_without_antialiasing(height, width, to_height, to_width):
    pixels = np.random.default_rng(height * width).integers(0, 256, (height, width, 3), dtype=np.uint8)
    got = two_tap(pixels, (to_width, to_height))
    assert got.shape == (to_height, to_width, 3)
    assert np.abs(got - naive(pixels, to_width, to_height)).max() <= 1
    assert np.array_equal(two_tap(pixels[:, :, 0], (to_width, to_height)), got[:, :, 0])


@pytest.mark.parametrize("database", ["train_lmdb", "test_lmdb", "data/train_lmdb", "data/test_lmdb"])
def test_opencv_equals_records_that_real_convert_imageset_made(shared_data, database):
    golden = shared_data / "golden" / "authorship-recognition"
    with Reader(golden / database) as reader:
        records = list(islice(reader.records(), len(reader)))
    for key, value in records:
        expected, _ = datum.decode(value)
        _, height, width = expected.shape
        preprocessing = Preprocessing(width=width, height=height, channel_order="BGR", kernel="opencv")
        got = decode(golden / "data" / key[9:].decode(), preprocessing)
        # equal where both sides have libjpeg-turbo; 2 levels are left to another decoder
        assert np.abs(got.astype(int) - expected).max() <= 2, key
    assert len(records) > 10
