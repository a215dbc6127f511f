"""The drawing board."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.demo.canvas import Canvas, arc, curve, mix

RED, WHITE = (255, 0, 0), (255, 255, 255)


def reddish(canvas: Canvas) -> np.ndarray:
    """Where the finished picture is drawn on, bool (H, W)."""
    return np.asarray(canvas.finish())[:, :, 1] < 128


def test_shapes_lie_where_the_frame_puts_them() -> None:
    canvas = Canvas(60, WHITE)
    with canvas.placed(at=(0.5, -0.5), scale=0.5, turn=math.pi / 2):
        canvas.polygon([(0, -0.1), (0.8, -0.1), (0.8, 0.1), (0, 0.1)], RED)  # to the right, hence down when turned
    rows, columns = np.nonzero(reddish(canvas))
    assert rows.min() == pytest.approx(15, abs=1)
    assert rows.max() == pytest.approx(15 + 0.8 * 15, abs=1)
    assert columns.mean() == pytest.approx(45, abs=1)
    canvas.ellipse((-0.5, 0.5), 0.2, 0.1, RED)
    assert reddish(canvas)[45, 15]  # outside of the block nothing is turned any more


def test_a_raised_character_stands_above_the_line() -> None:
    flat, raised = Canvas(90, WHITE), Canvas(90, WHITE)
    flat.text((0, 0), "xx", RED, 0.4)
    raised.text((0, 0), "x^x", RED, 0.4)
    top = [np.nonzero(reddish(canvas))[0].min() for canvas in (flat, raised)]
    assert top[1] < top[0] - 3


@given(st.lists(st.tuples(st.floats(-1, 1), st.floats(-1, 1)), min_size=3, max_size=8))
def test_a_curve_goes_through_its_points(points: list[tuple[float, float]]) -> None:
    bent = curve(points)
    for point in points:
        assert min(math.dist(point, other) for other in bent) < 1e-9


def test_an_arc_ends_where_it_should() -> None:
    points = arc((1, 2), 3, 4, 0, math.pi / 2)
    assert points[0] == pytest.approx((4, 2))
    assert points[-1] == pytest.approx((1, 6))


def test_mixing() -> None:
    assert mix((0, 100, 200), (100, 100, 0), 0.25) == (25, 100, 150)
