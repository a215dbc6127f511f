from __future__ import annotations

from workflow.cluster.parts import Part, cut, fixed, guided


def test_parts_cover_the_list_in_order():
    items = [str(number).encode() for number in range(10)]
    parts = list(cut(fixed(10, 4), lambda start, stop: items[start:stop]))
    assert [(one.number, one.start, one.stop) for one in parts] == [(0, 0, 4), (1, 4, 8), (2, 8, 10)]
    assert [item for one in parts for item in one.items] == items
    assert Part(number=0, start=3, items=()).stop == 3


def test_guided_ranges_get_smaller_so_that_all_end_together():
    ranges = list(guided(1000, 2, 50))
    sizes = [stop - start for start, stop in ranges]
    assert ranges[0] == (0, 50)
    assert [start for start, _ in ranges[1:]] == [stop for _, stop in ranges[:-1]]
    assert ranges[-1][1] == 1000
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] == 1
    assert list(guided(0, 2, 50)) == []
