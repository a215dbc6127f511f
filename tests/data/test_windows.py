"""Windows cut out on paper; tests/conformance holds many of them against real Caffe."""

from __future__ import annotations

import numpy as np
import pytest

from workflow.data.windows import Window, WindowFile, cut

PICTURE = np.random.default_rng(4).integers(0, 256, size=(20, 30, 3), dtype=np.uint8)
PLAIN = {"context": 0, "square": False, "mirror": False}


def test_a_window_of_the_right_size_is_taken_as_it_is():
    patch, above, left = cut(PICTURE, (3, 5, 9, 11), crop=7, **PLAIN)
    np.testing.assert_array_equal(patch, PICTURE[5:12, 3:10])
    assert (above, left) == (0, 0)
    mirrored, *_ = cut(PICTURE, (3, 5, 9, 11), crop=7, **PLAIN | {"mirror": True})
    np.testing.assert_array_equal(mirrored, patch[:, ::-1])


def test_warping_fills_the_square_whatever_the_form():
    assert cut(PICTURE, (3, 5, 20, 9), crop=7, **PLAIN)[0].shape == (7, 7, 3)


def test_a_square_reaches_beyond_the_picture():
    # 10 wide, 20 high: the square is 21 wide (both ends count) and begins 5 columns left of the picture
    patch, above, left = cut(PICTURE, (0, 0, 9, 19), crop=21, context=0, square=True, mirror=False)
    assert (above, left) == (0, 5)
    assert patch.shape == (20, 16, 3)
    assert cut(PICTURE, (0, 0, 9, 19), crop=21, context=0, square=True, mirror=True)[1:] == (0, 0)


def test_context_shows_what_is_around():
    # 6 of 10 rows are the window's own 6: one pixel of the picture is one of the result, two more on each side
    patch, above, left = cut(PICTURE, (8, 6, 13, 11), crop=10, context=2, square=False, mirror=False)
    assert (patch.shape, above, left) == ((10, 10, 3), 0, 0)


def test_a_window_outside_of_the_picture():
    with pytest.raises(ValueError, match=r"\(25, 3, 40, 12\) does not lie in a picture of 30 x 20"):
        cut(PICTURE, (25, 3, 40, 12), crop=7, **PLAIN)


def test_labels_of_the_background_do_not_count(tmp_path):
    (tmp_path / "w.txt").write_text("# 0\na.png\n3 20 30\n3\n2 0.9 1 2 3 4\n5 0.2 1 2 3 4\n6 0.6 1 2 3 4\n")
    front, back = WindowFile.read(tmp_path / "w.txt").split(0.7, 0.5)
    assert front == [Window(picture=0, label=2, overlap=0.9, box=(1, 2, 3, 4))]
    assert back == [Window(picture=0, label=0, overlap=0, box=(1, 2, 3, 4))]
