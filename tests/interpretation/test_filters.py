"""Filters as colour tiles."""

from __future__ import annotations

import numpy as np

from workflow.interpretation.activations.filters import tiles


def test_zero_is_grey_and_each_filter_has_its_own_scale():
    weights = np.zeros((3, 3, 2, 2), np.float32)
    weights[0, 0, 0, 0] = 5
    weights[1, 2, 1, 1] = -0.001
    board = tiles(weights)
    assert board.shape == (5, 5, 3)
    assert board[0, 0].tolist() == [255, 128, 128]
    assert board[1, 4].tolist() == [128, 128, 0]
    assert board[3, 0].tolist() == [128, 128, 128]
    assert (board[2] == 255).all()
    assert (board[3:, 3:] == 255).all()


def test_one_channel_is_grey():
    board = tiles(np.array([[[[1.0, -1.0]]]], np.float32))
    assert board.tolist() == [[[255, 255, 255], [0, 0, 0]]]
