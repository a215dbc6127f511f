from __future__ import annotations

import os
import threading

import numpy as np
import pytest

from workflow.exams import listing
from workflow.exams.listing import Listing, Rows


@pytest.fixture(params=[2**20, 100], ids=["in memory", "on disk"])
def _limit(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "_IN_MEMORY", request.param)
    monkeypatch.setattr(listing, "_BLOCK", 7)


@pytest.mark.usefixtures("_limit")
def test_a_listing_is_a_sequence_of_its_paths():
    paths = [f"folder/{number}.png" for number in range(40)] + [os.fsdecode(b"not \xff utf-8.png"), "äöü.jpg"]
    found = Listing()
    for path in paths:
        found.append(os.fsencode(path))
        assert found[-1] == (path, None)  # a look in between
    assert len(found) == 42
    assert list(found) == [(path, None) for path in paths]
    assert [found[place][0] for place in range(-42, 42)] == paths + paths
    assert found[5:20] == [(path, None) for path in paths[5:20]]
    assert found[30:5:-6] == [(path, None) for path in paths[30:5:-6]]
    assert found[9:3] == []
    with pytest.raises(IndexError):
        found[42]


@pytest.mark.usefixtures("_limit")
def test_rows_come_back():
    rows = Rows(np.float32)
    every = np.arange(120, dtype=np.float32).reshape(40, 3)
    for start in range(0, 40, 9):
        rows.extend(every[start : start + 9])
    assert len(rows) == 40
    np.testing.assert_array_equal(rows.read(0, 40), every)
    np.testing.assert_array_equal(rows.read(17, 23), every[17:23])


@pytest.mark.usefixtures("_limit")
def test_threads_may_look_at_once():
    """One gives out parts while another collects answers: each must get what it asked for."""
    items = [b"folder/%05d.png" % number for number in range(2000)]
    found, wrong, over = Listing(), [], threading.Event()
    for item in items:
        found.append(item)

    def look() -> None:
        while not over.is_set():
            for start in range(0, 2000, 50):
                wrong.extend(
                    one
                    for one in zip(found.items(start, start + 50), items[start : start + 50], strict=True)
                    if one[0] != one[1]
                )

    thread = threading.Thread(target=look)
    thread.start()
    for _ in range(20):
        paths = [path for start in range(0, 2000, 30) for path, _ in found[start : start + 30]]
        wrong += [one for one in zip(map(os.fsencode, paths), items, strict=True) if one[0] != one[1]]
    over.set()
    thread.join()
    assert not wrong
