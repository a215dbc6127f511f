"""Panels drawn by Pillow."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from workflow.report.chart import Panel, _numbers, ticks

RED = "#ff0000"


def panel() -> tuple[Image.Image, Panel]:
    """From 0 to 10 and from 0 to 1, in 100 x 50 pixels with a wide margin."""
    picture = Image.new("RGB", (240, 150), "white")
    return picture, Panel(picture, (70, 20, 170, 70), (0, 10), (0, 1))


def red(picture: Image.Image) -> np.ndarray:
    """Whether a pixel is red: (height, width)."""
    pixels = np.asarray(picture).astype(int)
    return (pixels[..., 0] > 200) & (pixels[..., 1] < 90)


def test_a_line_is_where_its_points_are() -> None:
    picture, made = panel()
    assert made.place((5, 0.5)) == (120, 45)
    made.line([(0, 0.5), (10, 0.5)], RED)
    made.finish(label="up", below="across")
    rows, columns = np.nonzero(red(picture))
    assert set(rows) <= {44, 45, 46}
    assert columns.max() >= 168


def test_what_lies_beyond_the_axes_is_not_drawn() -> None:
    picture, made = panel()
    made.line([(-5, 0.5), (5, 3.0)], RED, dots=True)
    made.finish(label="up")
    assert not red(picture)[:20].any()
    assert not red(picture)[:, :70].any()


def test_numbers_across_are_written_once_for_panels_above_each_other() -> None:
    with_numbers, made = panel()
    made.finish(label="up", below="")
    without, made = panel()
    made.finish(label="up")
    below = [np.asarray(picture.convert("L"))[78:].min() for picture in (with_numbers, without)]
    assert below[0] < 120
    assert below[1] == 255


def test_steps_are_round() -> None:
    assert ticks(0, 6000) == [0, 1000, 2000, 3000, 4000, 5000, 6000]
    assert ticks(0, 2, whole=True) == [0, 1, 2]
    assert ticks(0.93, 1.0) == pytest.approx([0.93, 0.94, 0.95, 0.96, 0.97, 0.98, 0.99, 1.0])
    assert _numbers(ticks(0, 1.1)) == ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]
    assert _numbers(ticks(0, 3e30))[1] == "5e+29"
    assert _numbers(ticks(0, 1e-6))[1] == "2e-07"


@given(st.floats(-1e3, 1e3), st.floats(1e-3, 1e30))
def test_a_range_has_a_few_different_numbers(least: float, span: float) -> None:
    found = ticks(least, least + span)
    assert 2 <= len(found) <= 8
    assert all(least - span * 1e-6 <= one <= least + span * (1 + 1e-6) for one in found)
