from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from workflow.errors import NetError
from workflow.formats import caffe_pb2
from workflow.layers.fillers import fill


def filled(shape, seed=1, **settings):
    blob = torch.empty(shape)
    fill(blob, caffe_pb2.FillerParameter(**settings), torch.Generator().manual_seed(seed))
    return blob.numpy()


def test_constant_zero_is_the_default():
    assert not filled((3, 4)).any()
    assert (filled((3, 4), value=2.5) == 2.5).all()


def test_uniform_and_gaussian():
    uniform = filled((100, 200), type="uniform", min=-2, max=1)
    assert uniform.min() >= -2
    assert uniform.max() <= 1
    assert uniform.mean() == pytest.approx(-0.5, abs=0.03)
    gaussian = filled((100, 200), type="gaussian", mean=3, std=0.5)
    assert gaussian.mean() == pytest.approx(3, abs=0.02)
    assert gaussian.std() == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize(("norm", "fan"), [("FAN_IN", 60), ("FAN_OUT", 600), ("AVERAGE", 330)])
def test_xavier_and_msra_by_fan(norm, fan):
    shape = (200, 20, 3, 1)  # fan in 60, fan out 600
    xavier = filled(shape, type="xavier", variance_norm=norm)
    assert np.abs(xavier).max() == pytest.approx(math.sqrt(3 / fan), rel=0.01)
    msra = filled(shape, type="msra", variance_norm=norm)
    assert msra.std() == pytest.approx(math.sqrt(2 / fan), rel=0.02)


def test_sparse_gaussian_keeps_its_share():
    blob = filled((50, 400), type="gaussian", std=1, sparse=5)
    assert (blob != 0).mean() == pytest.approx(5 / 50, abs=0.01)


def test_positive_unitball_rows_sum_to_one():
    blob = filled((7, 3, 5), type="positive_unitball")
    np.testing.assert_allclose(blob.sum(axis=(1, 2)), 1, rtol=1e-5)
    assert (blob >= 0).all()


def test_bilinear_is_a_tent():
    blob = filled((1, 1, 4, 4), type="bilinear")[0, 0]
    row = np.array([0.25, 0.75, 0.75, 0.25])
    np.testing.assert_allclose(blob, row[:, None] * row[None, :], rtol=1e-6)


def test_a_seed_repeats_itself():
    np.testing.assert_array_equal(filled((5, 5), type="xavier"), filled((5, 5), type="xavier"))
    assert (filled((5, 5), type="xavier") != filled((5, 5), 2, type="xavier")).any()


@pytest.mark.parametrize(
    ("shape", "settings", "words"),
    [
        ((3,), {"type": "gausian"}, "'gausian' is unknown"),
        ((3,), {"type": "gaussian", "std": 0}, "std 0, expected more"),
        ((3,), {"type": "gaussian", "sparse": 1}, "at least 2"),
        ((2, 1, 3, 4), {"type": "bilinear"}, "square windows"),
    ],
)
def test_settings_that_cannot_be(shape, settings, words):
    with pytest.raises(NetError, match=words):
        filled(shape, **settings)
