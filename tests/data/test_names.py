from __future__ import annotations

import os

import pytest

from workflow.data.names import Names, unpacked


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


def test_packed_names_are_taken_apart():
    names = ["a.png", os.fsdecode(b"not \xff utf-8.png"), "z"]
    assert unpacked(Names(names).packed()) == [os.fsencode(name) for name in names]
    assert unpacked(Names().packed()) == []
