"""The mean picture."""

from __future__ import annotations

import numpy as np
import pytest

from workflow.data.mean import RunningMean


@pytest.mark.parametrize("count", [1, 2, 256, 257, 258, 700])
def test_equals_the_mean_in_float64(count):
    pixels = np.random.default_rng(count).integers(0, 256, (count, 3, 7, 5), dtype=np.uint8)
    mean = RunningMean((3, 7, 5))
    for one in pixels:
        mean.add(one.tobytes())
    assert mean.result().dtype == np.float32
    assert np.array_equal(mean.result(), pixels.mean(axis=0, dtype=np.float64).astype(np.float32))


def test_white_pictures_do_not_overflow():
    mean = RunningMean((1, 2, 3))
    for _ in range(600):
        mean.add(b"\xff" * 6)
    assert np.array_equal(mean.result(), np.full((1, 2, 3), 255, np.float32))


def test_no_pictures():
    with pytest.raises(ValueError, match="the mean of no pictures"):
        RunningMean((1, 2, 3)).result()
