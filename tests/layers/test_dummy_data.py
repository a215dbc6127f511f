from __future__ import annotations

import numpy as np
import pytest
from one_layer import make

from workflow.errors import NetError


def text(param, tops="ab"):
    return f'name: "d" type: "DummyData" {" ".join(f"top: {name!r}" for name in tops)} dummy_data_param {{ {param} }}'


SHAPE = "shape { dim: 40 dim: 30 }"


def test_random_numbers_are_new_in_every_pass_and_the_same_in_every_run():
    layer, twin = (make(text(f'{SHAPE} data_filler {{ type: "uniform" min: 2 max: 5 }}')) for _ in range(2))
    a, b = layer.forward()
    assert a.min() >= 2
    assert a.max() < 5
    assert abs(float(a.mean()) - 3.5) < 0.1
    assert not np.array_equal(a, b)
    layer.position = twin.position = 3
    again = layer.forward()[0]
    assert not np.array_equal(a, again)
    np.testing.assert_array_equal(twin.forward()[0], again)
    twin.seed = 7
    assert not np.array_equal(twin.forward()[0], again)


def test_one_filler_for_each_top():
    fillers = 'data_filler { type: "gaussian" std: 2 } data_filler { value: 3 }'
    a, b = make(text(f"num: 2 num: 4 channels: 3 height: 1 width: 5 {fillers}")).forward()
    assert (tuple(a.shape), tuple(b.shape)) == ((2, 3, 1, 5), (4, 3, 1, 5))
    assert float(a.std()) > 1
    assert (b == 3).all()


@pytest.mark.parametrize(
    ("param", "words"),
    [
        (f"{SHAPE} num: 3", "both shape and num, channels"),
        ("", "0 shape, expected 1 or 3"),
        (f"{SHAPE} {SHAPE}", "2 shape, expected 1 or 3"),
        ("num: 3 height: 2 width: 2", "0 channels, expected 1 or 3"),
        (f"{SHAPE} data_filler {{ }} data_filler {{ }}", "2 data_filler, expected 1 or 3"),
    ],
)
def test_numbers_of_things_that_do_not_fit(param, words):
    with pytest.raises(NetError, match=words):
        make(text(param, "abc"))
