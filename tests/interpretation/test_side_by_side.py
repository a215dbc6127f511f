"""Several pictures on common scales."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from workflow.errors import UsageError
from workflow.interpretation.activations.side_by_side import Statistics, choose, compare, ranges
from workflow.models.loading import load
from workflow.report.comparison import draw_comparison, tiled

IMAGES = [Path("images/test/cross/0.png"), Path("images/test/circle/1.png")]


def test_statistics_count_zeros_and_dead_channels():
    maps = np.zeros((3, 2, 5), np.float32)
    maps[1, 0, 3] = -2
    maps[2] = 1
    one = Statistics.of(maps)
    assert (one.minimum, one.maximum, one.dead) == (-2, 1, (0,))
    assert one.zeros == pytest.approx(19 / 30)
    assert one.mean == pytest.approx(8 / 30)
    assert one.sd == pytest.approx(float(maps.std()))


def test_scales_are_common_to_the_pictures():
    maps = np.array([[[[1.0]], [[4.0]]], [[[-3.0]], [[2.0]]]], np.float32)  # pictures, channels
    assert ranges(maps, signed=True, each_channel=False).tolist() == [[-4, 4], [-4, 4]]
    assert ranges(maps, signed=True, each_channel=True).tolist() == [[-3, 3], [-4, 4]]
    assert ranges(abs(maps), signed=False, each_channel=True).tolist() == [[0, 3], [0, 4]]


def test_channels_by_activity_by_number_and_by_choice():
    maps = np.array([[[[1.0]], [[-9.0]], [[5.0]]]], np.float32)
    assert choose(maps, name="conv", channels=(), order="activity", top=2) == [1, 2]
    assert choose(maps, name="conv", channels=(2, 0, 2), order="number", top=None) == [2, 0]
    with pytest.raises(UsageError, match="no channel 3"):
        choose(maps, name="conv", channels=(3,), order="number", top=None)
    with pytest.raises(UsageError, match="0 channels"):
        choose(maps, name="conv", channels=(), order="number", top=0)


def test_tiles_go_row_by_row():
    board = tiled(np.arange(1, 4, dtype=np.float32)[:, None, None] * np.ones((1, 2, 3), np.float32))
    assert board.shape == (5, 7)
    assert (board[0, 0], board[0, 4], board[3, 0]) == (1, 2, 3)
    assert np.isnan(board[2]).all()
    assert np.isnan(board[3:, 4:]).all()


def test_the_comparison_agrees_with_the_net_and_is_drawn(settings, trained, tmp_path):
    model = load(settings)
    with model.open() as session:
        found = compare(model, session, IMAGES, blobs=["conv", "pool"], order="activity", top=4)
        alone = model.forward(session, [model.read(IMAGES[1])])
    conv, pool = found.blobs
    assert conv.signed
    assert not pool.signed
    assert conv.maps.shape == (2, 4, 7, 7)
    assert np.array_equal(conv.maps[1], alone["conv"][0][list(conv.channels)])
    assert pool.ranges[:, 0].tolist() == [0, 0, 0, 0]
    assert found.inputs.shape == (2, 3, 7, 7)
    drawn = draw_comparison(found, model.preprocessing, tmp_path / "new")
    assert {name: path.name for name, path in drawn.items()} == {
        "conv": "compare-conv.png",
        "pool": "compare-pool.png",
    }
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in drawn.values())


def test_an_unknown_blob_is_named(settings, trained):
    model = load(settings)
    with model.open() as session, pytest.raises(UsageError, match="no blob 'convv'"):
        compare(model, session, IMAGES, blobs=["convv"])
