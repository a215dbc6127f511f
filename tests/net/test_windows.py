from __future__ import annotations

import pytest

from workflow.net.windows import Window


def test_convolution_divides_as_c_does():
    """A window that does not fit gives 1 where the division truncates towards zero: H=2, k=3, s=2."""
    assert Window(kernel=(3, 3), stride=(2, 2)).convolved((2, 7)) == (1, 3)
    assert Window(kernel=(3, 2), stride=(2, 1), pad=(1, 0), dilation=(1, 2)).convolved((7, 5)) == (4, 3)


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "pad", "expected"),
    [(32, 3, 2, 0, 16), (16, 3, 2, 0, 8), (7, 3, 2, 1, 4), (6, 3, 2, 1, 4), (5, 2, 2, 1, 3), (4, 3, 3, 2, 2)],
)
def test_pooling_rounds_up_and_drops_a_window_in_the_padding(size, kernel, stride, pad, expected):
    window = Window(kernel=(kernel, kernel), stride=(stride, stride), pad=(pad, pad))
    assert window.pooled((size, size)) == (expected, expected)
