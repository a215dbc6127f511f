from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from workflow.interpretation.activations import grid

B = 255  # the border


def test_every_pixel_of_three_maps():
    """One scale for all maps, a border of one pixel to the right and below, an empty place in the square."""
    maps = np.array([[[-1, 0, 1]], [[0.5, 1, 1]], [[4, -1, 1.5]]], np.float32)  # -1..4 becomes 0..255
    expected = [
        [0, 51, 102, B, 76, 102, 102, B],
        [B, B, B, B, B, B, B, B],
        [255, 0, 128, B, B, B, B, B],
        [B, B, B, B, B, B, B, B],
    ]
    picture = grid.grid(maps)
    assert picture.dtype == np.uint8
    np.testing.assert_array_equal(picture, expected)


@pytest.mark.parametrize(("count", "side"), [(1, 1), (2, 2), (4, 2), (5, 3), (32, 6), (36, 6), (37, 7), (64, 8)])
def test_a_square_of_the_root_rounded_up(count, side):
    assert grid.grid(np.zeros((count, 4, 3), np.float32)).shape == (side * 5, side * 4)


def test_row_by_row():
    maps = np.arange(9, dtype=np.float32).reshape(9, 1, 1) * 255 / 8
    shown = grid.grid(maps)[::2, ::2]
    np.testing.assert_array_equal(shown, np.rint(np.arange(9) * 255 / 8).reshape(3, 3))


def test_a_constant_blob_is_black():
    np.testing.assert_array_equal(grid.grid(np.full((1, 1, 2), 7, np.float32)), [[0, 0, B], [B, B, B]])


def test_c05_what_is_no_number():
    maps = np.array([[[np.nan, 1, 3, np.inf, -np.inf]]], np.float32)
    np.testing.assert_array_equal(grid.grid(maps)[0, :5], [0, 0, 255, 255, 0])
    np.testing.assert_array_equal(grid.grid(np.full((1, 1, 1), np.nan, np.float32))[0], [0, B])


@pytest.mark.parametrize(("width", "factor"), [(40, 10), (198, 3), (399, 2), (400, 1), (2000, 1)])
def test_small_grids_are_enlarged_by_a_whole_factor(width, factor):
    picture = np.arange(2 * width, dtype=np.uint32).astype(np.uint8).reshape(2, width)
    large = grid.enlarge(picture)
    assert large.shape == (2 * factor, width * factor)
    for shift in {0, factor - 1}:
        np.testing.assert_array_equal(large[shift::factor, shift::factor], picture)


@pytest.mark.parametrize(
    ("shape", "limit", "expected"),
    [
        ((2, 5, 4, 3), None, (5, 4, 3)),
        ((2, 5, 4, 3), 3, (3, 4, 3)),
        ((2, 5, 4, 3), 9, (5, 4, 3)),
        ((2, 5), None, (5, 1, 1)),
        ((2, 5, 4), None, (5, 4, 1)),
        ((2, 5, 2, 4, 3), None, (5, 8, 3)),
        ((2,), None, (1, 1, 1)),
        ((), None, (1, 1, 1)),
    ],
)
def test_the_first_item_of_any_blob_as_maps(shape, limit, expected):
    blob = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    maps = grid.channels(blob, limit)
    assert maps.shape == expected
    np.testing.assert_array_equal(maps.ravel(), np.ravel(blob[0] if shape else blob)[: maps.size])


def test_written_as_it_is(tmp_path):
    picture = np.arange(6, dtype=np.uint8).reshape(2, 3)
    grid.write(picture, tmp_path / "new" / "conv1.png")
    with Image.open(tmp_path / "new" / "conv1.png") as image:
        assert (image.format, image.mode) == ("PNG", "L")
        np.testing.assert_array_equal(np.asarray(image), picture)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["conv1.png"]


def test_a_caption_leaves_the_grid_as_it_is_and_shows_its_scale():
    maps = np.array([[[-1.5, 0, 1]], [[0.5, 1, 1]], [[4, -1, np.nan]]], np.float32)
    picture = grid.enlarge(grid.grid(maps))
    with_words = grid.captioned(picture, "conv1 of a.png", maps)
    np.testing.assert_array_equal(with_words[: -grid.CAPTION], picture)
    strip = with_words[-grid.CAPTION :]
    assert (strip[:18] < 100).any()  # the words
    ramp = strip[27]
    start = int(np.flatnonzero(ramp == 60)[0]) + 1  # behind its frame
    assert ramp[start : start + 120].tolist() == np.linspace(0, 255, 120).astype(np.uint8).tolist()


def test_a_caption_that_is_too_long_is_cut():
    maps = np.zeros((1, 2, 2), np.float32)
    picture = grid.enlarge(grid.grid(maps))
    assert grid.captioned(picture, "x" * 500, maps).shape == (picture.shape[0] + grid.CAPTION, picture.shape[1])
