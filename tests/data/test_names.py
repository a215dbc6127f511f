from __future__ import annotations

import os

import pytest

from workflow.data.names import Names


def test_names_are_a_sequence_of_text():
    names = ["a.png", "äöü.jpg", os.fsdecode(b"not \xff utf-8.png"), "", "z"]
    packed = Names(names)
    assert list(packed) == names
    assert [packed[place] for place in range(-5, 5)] == names + names
    assert packed[1:4] == names[1:4]
    assert len(packed) == 5
    assert not Names()
    with pytest.raises(IndexError):
        packed[5]
