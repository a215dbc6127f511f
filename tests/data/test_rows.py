"""Which rows of a batch a part has, as numbers and of arrays."""

from __future__ import annotations

import numpy as np
import pytest

from workflow.data.rows import Rows


@pytest.mark.parametrize(("batch", "parts"), [(8, 2), (7, 3), (5, 5)])
def test_the_parts_of_a_batch_are_dealt_out_one_by_one_and_make_it_whole(batch, parts):
    dealt = [Rows(index=index, parts=parts, batch=batch) for index in range(parts)]
    numbers = [range(batch)[rows.own] for rows in dealt]
    assert sorted(number for one in numbers for number in one) == list(range(batch))
    assert all(number % parts == rows.index for rows, one in zip(dealt, numbers, strict=True) for number in one)
    assert [rows.share for rows in dealt] == [len(one) / batch for one in numbers]
    assert sum(rows.share for rows in dealt) == pytest.approx(1)
    assert [rows.grown(2 * len(one)) for rows, one in zip(dealt, numbers, strict=True)] == [2 * batch] * parts


def test_a_row_may_be_several_of_the_first_axis():
    blob = np.arange(12).reshape(6, 2)  # three pictures of two rows
    np.testing.assert_array_equal(Rows(index=1, parts=2, batch=3).of(blob), [[4, 5], [6, 7]])
    np.testing.assert_array_equal(Rows(index=0, parts=2, batch=3).of(blob), [[0, 1], [2, 3], [8, 9], [10, 11]])


def test_parts_of_a_whole_batch_each():
    rows = Rows(index=1, parts=3)
    assert rows.whole(4) == 12
    assert list(range(12)[rows.own]) == [1, 4, 7, 10]
    assert rows.grown(4) == 12
    assert rows.share == 1 / 3
    np.testing.assert_array_equal(rows.of(np.arange(12)), [1, 4, 7, 10])
