"""Miniatures of 8 x 8."""

from __future__ import annotations

import numpy as np
import pytest

from workflow.data.thumbnails import Thumbnails


@pytest.mark.parametrize(("height", "width"), [(8, 8), (16, 24), (7, 5), (33, 9), (1, 1)])
def test_areas_are_averaged_over_all_channels(height, width):
    pixels = np.random.default_rng(2).integers(0, 256, (2, 3, height, width), dtype=np.uint8)
    fine = np.repeat(np.repeat(pixels.mean(axis=1), 8, axis=1), 8, axis=2)  # every pixel as 8 x 8, so that areas fit
    expected = fine.reshape(2, 8, height, 8, width).mean(axis=(2, 4)).reshape(2, 64)
    got = Thumbnails((3, height, width))(pixels)
    assert got.dtype == np.uint8
    assert np.abs(got - expected).max() <= 0.51


def test_no_pictures_no_thumbnails():
    assert Thumbnails((3, 7, 5))(np.empty((0, 3, 7, 5), np.uint8)).shape == (0, 64)
